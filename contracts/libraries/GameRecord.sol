// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The one word that `TurnGame` keeps of a game
/// @dev From the top: 2 bits turn, 1 bit live, 34 bits start, 19 bits version, then
/// unfinished: 20 bits Alice's bank, 20 bits Bob's, 160 bits place; finished (turn 0): 88 zero bits, 112 bits shift.
/// Zero is no game: `start` of a real one is a time. Callers have checked that every part fits.
library GameRecord {
    uint256 internal constant ALICE = 1;
    uint256 internal constant BOB = 2;

    uint256 private constant BANK_MASK = (1 << 20) - 1;

    /// @dev "The whole lock of that side": `MSContract` cuts it to the lock in every channel.
    int112 private constant WHOLE_LOCK = type(int112).max;

    function running(
        uint256 side,
        bool isLive,
        uint256 from,
        uint256 number,
        uint256 aliceLeft,
        uint256 bobLeft,
        uint256 where
    ) internal pure returns (uint256 word) {
        return _head(side, isLive, from, number) | (aliceLeft << 180) | (bobLeft << 160) | where;
    }

    function finished(bool isLive, uint256 from, uint256 number, int256 shift) internal pure returns (uint256 word) {
        return _head(0, isLive, from, number) | uint112(int112(shift));
    }

    /// @notice Low 160 bits of `keccak256(abi.encode(id, position))`; `position` is the hash of its bytes.
    function place(bytes32 id, bytes32 position) internal pure returns (uint256) {
        return uint160(uint256(keccak256(abi.encode(id, position))));
    }

    function turn(uint256 word) internal pure returns (uint256) {
        return word >> 254;
    }

    function live(uint256 word) internal pure returns (bool) {
        return (word >> 253) & 1 == 1;
    }

    /// @notice The last second for newer positions; once live, when the last move was made.
    function start(uint256 word) internal pure returns (uint256) {
        return (word >> 219) & ((1 << 34) - 1);
    }

    function version(uint256 word) internal pure returns (uint256) {
        return (word >> 200) & ((1 << 19) - 1);
    }

    /// @notice What is left of the bank of a side, in seconds.
    function left(uint256 word, uint256 side) internal pure returns (uint256) {
        return (word >> (side == ALICE ? 180 : 160)) & BANK_MASK;
    }

    function place(uint256 word) internal pure returns (uint256) {
        return uint160(word);
    }

    /// @notice Both banks when the side to move has moved at `time`.
    function banksAfterMove(uint256 word, uint256 time) internal pure returns (uint256 aliceLeft, uint256 bobLeft) {
        uint256 used = time - start(word);
        aliceLeft = left(word, ALICE);
        bobLeft = left(word, BOB);
        if (turn(word) == ALICE) aliceLeft -= used;
        else bobLeft -= used;
    }

    /// @notice Whether the game is decided at `time`, and what moves from Alice to Bob.
    function outcome(uint256 word, uint256 time) internal pure returns (bool done, int112 shift) {
        if (word == 0) return (false, 0);
        uint256 side = turn(word);
        uint256 from = start(word);
        if (side == 0) {
            if (!live(word) && time <= from) return (false, 0);
            return (true, int112(uint112(word)));
        }
        if (time <= from + left(word, side)) return (false, 0);
        return (true, side == ALICE ? WHOLE_LOCK : -WHOLE_LOCK);
    }

    function _head(uint256 side, bool isLive, uint256 from, uint256 number) private pure returns (uint256) {
        return (side << 254) | (isLive ? 1 << 253 : 0) | (from << 219) | (number << 200);
    }
}
