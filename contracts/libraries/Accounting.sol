// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMSContract} from "../interfaces/IMSContract.sol";

/// @title The arithmetic of a channel: packed words, free money, clamping
/// @dev Layout of a *funds* word, from the top: 1 bit disputed, 1 bit drawn, 30 bits count of withdrawals,
/// 112 bits Bob's holdings (signed), 112 bits Alice's holdings (signed).
/// Layout of a *dispute* word, from the top: 1 bit settling, 34 bits deadline, 48 bits version, 173 bits state hash.
library Accounting {
    /// @notice Greatest amount: every amount, net and shift fits 112 signed bits.
    uint256 internal constant MOST = (1 << 111) - 1;

    uint256 internal constant DISPUTED = 1 << 255;
    uint256 internal constant DRAWN = 1 << 254;
    uint256 internal constant ONE_WITHDRAWAL = 1 << 224;
    uint256 internal constant WITHDRAWALS_LIMIT = (1 << 30) - 1;
    uint256 internal constant SIDES_MASK = (1 << 224) - 1;
    uint256 internal constant BOB = 112;
    uint256 internal constant SIDE_MASK = (1 << 112) - 1;

    uint256 internal constant SETTLING = 1 << 255;
    uint256 internal constant DEADLINE_LIMIT = (1 << 34) - 1;
    uint256 internal constant HASH_MASK = (1 << 173) - 1;

    /// @notice Both sides' holdings.
    function sides(uint256 funds) internal pure returns (int256 alice, int256 bob) {
        assembly {
            alice := signextend(13, funds)
            bob := signextend(13, shr(112, funds))
        }
    }

    /// @notice `funds` with one side raised by `amount`; `offset` is 0 for Alice's side, 112 for Bob's.
    function raise(uint256 funds, uint256 offset, uint256 amount) internal pure returns (uint256) {
        unchecked {
            int256 side;
            assembly {
                side := signextend(13, shr(offset, funds))
            }
            // A side has 112 bits and the amount at most 111, or it is refused: the sum cannot overflow.
            int256 raised = side + int256(amount);
            bool tooLarge;
            // Assembly replaces `amount > MOST || raised > int256(MOST)`, two branches.
            assembly ("memory-safe") {
                tooLarge := or(gt(amount, MOST), sgt(raised, MOST))
            }
            if (tooLarge) revert IMSContract.AmountTooLarge(side, amount);
            return funds ^ ((uint256(side ^ raised) & SIDE_MASK) << offset);
        }
    }

    /// @notice `funds` with other holdings, in two's complement; marks and count stay.
    /// @dev The caller has checked that both sides fit 112 bits.
    function withSides(uint256 funds, uint256 alice, uint256 bob) internal pure returns (uint256) {
        return (funds & ~SIDES_MASK) | ((bob & SIDE_MASK) << BOB) | (alice & SIDE_MASK);
    }

    function withdrawals(uint256 funds) internal pure returns (uint256) {
        return (funds >> 224) & WITHDRAWALS_LIMIT;
    }

    function packDispute(uint256 deadline, uint256 version, uint256 hash) internal pure returns (uint256) {
        return (deadline << 221) | (version << 173) | hash;
    }

    function deadlineOf(uint256 dispute) internal pure returns (uint256) {
        return (dispute >> 221) & DEADLINE_LIMIT;
    }

    function versionOf(uint256 dispute) internal pure returns (uint256) {
        return (dispute >> 173) & type(uint48).max;
    }

    /// @notice A shift limited to `[-bobLock, aliceLock]`.
    function clampToLocks(int256 shift, uint256 aliceLock, uint256 bobLock) internal pure returns (int256) {
        unchecked {
            int256 least = -int256(bobLock); // locks have 112 bits
            if (shift < least) return least;
        }
        return shift > int256(aliceLock) ? int256(aliceLock) : shift;
    }
}
