// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {GasAllowance} from "./GasAllowance.sol";

/// @title Moving ETH (asset zero) and ERC-20 tokens in and out
library AssetTransfer {
    using SafeERC20 for IERC20;

    /// @notice Takes `amount` of a token from the caller and says how much arrived.
    function pull(address token, uint256 amount) internal returns (uint256 arrived) {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return IERC20(token).balanceOf(address(this)) - before;
    }

    /// @notice Pays with a gas allowance; false if the payee or the token refused although it had all of it.
    /// @dev Assembly copies no return data of ETH payees (it may be a megabyte) and one word of a token's.
    function tryPay(address asset, address to, uint256 amount) internal returns (bool paid) {
        uint256 gasBefore = gasleft();
        uint256 allowance;
        if (asset == address(0)) {
            allowance = GasAllowance.ETH_PAYOUT;
            assembly ("memory-safe") {
                paid := call(allowance, to, amount, 0, 0, 0, 0)
            }
        } else {
            allowance = GasAllowance.TOKEN_PAYOUT;
            bytes4 selector = IERC20.transfer.selector;
            assembly ("memory-safe") {
                let m := mload(0x40)
                mstore(m, selector)
                mstore(add(m, 4), to)
                mstore(add(m, 36), amount)
                mstore(0, 0)
                paid := call(allowance, asset, 0, m, 68, 0, 32)
                // A token answers true, or nothing at all and is a contract.
                switch returndatasize()
                case 0 {
                    paid := and(paid, gt(extcodesize(asset), 0))
                }
                default {
                    paid := and(paid, and(gt(returndatasize(), 31), eq(mload(0), 1)))
                }
            }
        }
        if (!paid) GasAllowance.requireFull(gasBefore, allowance);
    }

    /// @notice Pays with all the gas there is.
    /// @return paid False if an ETH payee refused, or the payee is this contract, where it would be nobody's; tokens
    /// that refuse revert.
    function pay(address asset, address to, uint256 amount) internal returns (bool paid) {
        if (asset != address(0)) {
            if (to == address(this)) return false; // which takes no ETH either
            IERC20(asset).safeTransfer(to, amount);
            return true;
        }
        assembly ("memory-safe") {
            paid := call(gas(), to, amount, 0, 0, 0, 0)
        }
    }
}
