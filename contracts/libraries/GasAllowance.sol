// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMSContract} from "../interfaces/IMSContract.sol";

/// @title Calls that get a fixed gas allowance, and may not be starved of it to fake their failure
/// @dev Gas is measured before the call and judged after a failure: a check of what is left after the call is
/// beaten by a callee that gives up early. 40,000 covers what the call itself costs before the rule of 63/64
/// applies (cold account 2,600, value 9,000, new account 25,000).
library GasAllowance {
    uint256 internal constant OUTCOME = 120_000;
    uint256 internal constant ETH_PAYOUT = 100_000;
    uint256 internal constant TOKEN_PAYOUT = 300_000;
    uint256 internal constant SUBMIT = 300_000;

    /// @notice Reverts if a call that failed may have had less than its allowance.
    function requireFull(uint256 gasBefore, uint256 allowance) internal pure {
        if (gasBefore < 40_000 || ((gasBefore - 40_000) * 63) / 64 < allowance) {
            revert IMSContract.NotEnoughGas(gasBefore, allowance);
        }
    }
}
