// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Wallet} from "./Payees.sol";

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
