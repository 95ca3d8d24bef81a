// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Wallet} from "./Payees.sol";
import {PlainToken} from "./Tokens.sol";

/// @title Contracts that let a test look closer

/// @notice Takes ETH, but uses `appetite` gas for it, as elaborate wallets do.
contract HungryPayee is Wallet {
    uint256 public immutable appetite;

    constructor(uint256 appetite_) {
        appetite = appetite_;
    }

    receive() external payable override {
        uint256 before = gasleft();
        while (before - gasleft() < appetite) {}
    }
}

/// @notice Takes ETH and answers with 90 kilobytes, which nobody must copy.
contract LoudPayee is Wallet {
    receive() external payable override {
        assembly ("memory-safe") {
            return(0, 90000)
        }
    }
}

/// @notice Calls `target` before each transfer and fails as that call fails.
contract BubblingToken is PlainToken {
    address public target;
    bytes public data;

    function setHook(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _before(address, address) internal override {
        if (target == address(0)) return;
        (bool success, bytes memory reason) = target.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}
