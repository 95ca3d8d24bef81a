// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accounting} from "../../contracts/libraries/Accounting.sol";

/// @notice Packed words and clamping, over all inputs (protocol, section 3, Storage and Resolving a nano).
contract AccountingProof {
    using Accounting for uint256;

    /// @notice Writing both sides is read back, and touches neither the marks nor the count.
    function check_sides_are_read_back(uint256 funds, int112 alice, int112 bob) external pure {
        uint256 changed = funds.withSides(uint256(int256(alice)), uint256(int256(bob)));
        (int256 a, int256 b) = changed.sides();
        assert(a == alice && b == bob);
        assert(changed >> 224 == funds >> 224);
    }

    /// @notice A side that is raised has risen by the amount and stays below 2**111; nothing else changes.
    function check_raise(uint256 funds, bool toBob, uint256 amount) external view {
        (int256 alice, int256 bob) = funds.sides();
        int256 side = toBob ? bob : alice;
        try this.raise(funds, toBob, amount) returns (uint256 changed) {
            (int256 a, int256 b) = changed.sides();
            assert(amount <= Accounting.MOST);
            assert((toBob ? b : a) == side + int256(amount));
            assert((toBob ? b : a) <= int256(Accounting.MOST));
            assert((toBob ? a : b) == (toBob ? alice : bob));
            assert(changed >> 224 == funds >> 224);
        } catch {
            assert(amount > Accounting.MOST || side + int256(amount) > int256(Accounting.MOST));
        }
    }

    function raise(uint256 funds, bool toBob, uint256 amount) external pure returns (uint256) {
        return funds.raise(toBob ? Accounting.BOB : 0, amount);
    }

    /// @notice Deadline, version and hash keep to their bits and are read back; a new dispute is not settling.
    function check_dispute_is_read_back(uint256 deadline, uint48 version, uint256 hash) external pure {
        if (deadline > Accounting.DEADLINE_LIMIT || hash > Accounting.HASH_MASK) return;
        uint256 word = Accounting.packDispute(deadline, version, hash);
        assert(word.deadlineOf() == deadline);
        assert(word.versionOf() == version);
        assert(word & Accounting.HASH_MASK == hash);
        assert(word & Accounting.SETTLING == 0);
    }

    /// @notice Marking a dispute as settling, over another hash, changes neither deadline nor version.
    function check_settling_keeps_deadline_and_version(uint256 word, uint256 hash) external pure {
        if (hash > Accounting.HASH_MASK) return;
        uint256 changed = (word & ~Accounting.HASH_MASK) | Accounting.SETTLING | hash;
        assert(changed.deadlineOf() == word.deadlineOf());
        assert(changed.versionOf() == word.versionOf());
        assert(changed & Accounting.SETTLING != 0);
        assert(changed & Accounting.HASH_MASK == hash);
    }

    /// @notice Counting a withdrawal counts by one and leaves marks and sides, up to the last count there is.
    function check_withdrawals_count(uint256 funds) external pure {
        if (funds.withdrawals() == Accounting.WITHDRAWALS_LIMIT) return;
        uint256 changed = funds + Accounting.ONE_WITHDRAWAL;
        assert(changed.withdrawals() == funds.withdrawals() + 1);
        assert(changed >> 254 == funds >> 254);
        assert(changed & Accounting.SIDES_MASK == funds & Accounting.SIDES_MASK);
    }

    /// @notice Sides, marks and count lie apart: together they are the whole word.
    function check_layout_covers_the_word(uint256 funds) external pure {
        (int256 alice, int256 bob) = funds.sides();
        uint256 rebuilt = uint256(0).withSides(uint256(alice), uint256(bob));
        rebuilt |= (funds & Accounting.DISPUTED) | (funds & Accounting.DRAWN) | (funds.withdrawals() << 224);
        assert(rebuilt == funds);
    }

    /// @notice A clamped shift lies within the locks and is the nearest such value.
    function check_clamp(int112 shift, uint112 aliceLock, uint112 bobLock) external pure {
        int256 clamped = Accounting.clampToLocks(shift, aliceLock, bobLock);
        assert(clamped <= int256(uint256(aliceLock)));
        assert(clamped >= -int256(uint256(bobLock)));
        if (shift <= int256(uint256(aliceLock)) && shift >= -int256(uint256(bobLock))) assert(clamped == shift);
        else assert(clamped == int256(uint256(aliceLock)) || clamped == -int256(uint256(bobLock)));
    }

    /// @notice What one channel's Alice gains by an instance the other's loses, whichever way each has it: a hub
    /// that locks an instance alike in two channels, in opposite roles, is neutral (P4), at any outcome.
    function check_hub_is_neutral(
        int112 outcome,
        uint112 aliceLock,
        uint112 bobLock,
        bool first,
        bool second
    ) external pure {
        // In the first channel the hub plays the instance's Bob, in the second its Alice.
        assert(
            _gain(outcome, aliceLock, bobLock, first, false) + _gain(outcome, aliceLock, bobLock, second, true) == 0
        );
    }

    /// @dev The hub's gain in a channel that lists the instance `swapped` or not; `asAlice` in the instance.
    function _gain(
        int256 shift,
        uint112 aliceLock,
        uint112 bobLock,
        bool swapped,
        bool asAlice
    ) private pure returns (int256) {
        (uint112 a, uint112 b) = swapped ? (bobLock, aliceLock) : (aliceLock, bobLock);
        int256 moved = Accounting.clampToLocks(swapped ? -shift : shift, a, b);
        bool hubIsChannelAlice = asAlice != swapped;
        return hubIsChannelAlice ? -moved : moved;
    }
}
