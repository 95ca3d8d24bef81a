// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Accounts that are contracts: one that behaves, and one for each way to refuse or abuse a payment
/// @dev Each can stand in a channel: `execute` sends any transaction in its name, for anybody.

/// @notice A contract wallet that takes ETH.
contract Wallet {
    error CallFailed(bytes reason);

    function execute(address to, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool success, bytes memory result) = to.call{value: value}(data);
        if (!success) revert CallFailed(result);
        return result;
    }

    receive() external payable virtual {}
}

/// @notice Refuses ETH while `refusing`; refuses from the start.
contract RefusingPayee is Wallet {
    bool public refusing = true;

    error NoThanks();

    function setRefusing(bool value) external {
        refusing = value;
    }

    receive() external payable override {
        if (refusing) revert NoThanks();
    }
}

/// @notice Uses up all the gas it is given when it is paid.
contract GasBurningPayee is Wallet {
    receive() external payable override {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Reverts with 90 kilobytes when it is paid, which nobody must copy.
contract BombPayee is Wallet {
    receive() external payable override {
        assembly ("memory-safe") {
            revert(0, 90000)
        }
    }
}

/// @notice Accepts only if it has at least `need` gas left, and gives up at once, cheaply, if not.
/// @dev The callee that beats a check of the gas made after the call [B9].
contract ThriftyPayee is Wallet {
    uint256 public need = 80_000;

    error TooLittleGas(uint256 gas);

    receive() external payable override {
        if (gasleft() < need) revert TooLittleGas(gasleft());
    }
}

/// @notice When it is paid, calls `target` with `data`, keeps the result and takes the money all the same.
contract ReenteringPayee is Wallet {
    address public target;
    bytes public data;
    uint256 public tried;
    uint256 public succeeded;

    function setHook(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    receive() external payable override {
        if (target == address(0)) return;
        tried++;
        (bool success, ) = target.call(data);
        if (success) succeeded++;
    }
}

/// @notice Forces ETH on an account that did not ask for it.
contract Forcer {
    constructor(address payable to) payable {
        selfdestruct(to); // the only way to pay somebody who did not ask
    }
}

/// @notice A smart wallet that says yes to every signature (ERC-1271): no contract may count it as a key.
contract YesWallet is Wallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}
