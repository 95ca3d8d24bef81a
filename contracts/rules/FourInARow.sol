// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../interfaces/IRules.sol";

/// @title Four in a row
/// @notice Seven columns of six; a stone falls onto those below. Four in a row, column or diagonal win the other's whole
/// lock; a full board without is a draw, and nothing moves.
/// A position is 14 bytes: Alice's stones, then Bob's, 56 bits each. Column c has the bits 7c to 7c + 5, from below; bit
/// 7c + 6 stays empty, so that no row goes on in the next column. A move is one byte: a column from 0 to 6, or 255 to
/// resign. Setup 0: Alice begins, 1: Bob.
contract FourInARow is IRules {
    uint8 private constant RESIGN = 255;
    int32 private constant WHOLE = 1e9;
    uint256 private constant COLUMN = 0x3f;

    /// @dev All 42 places.
    uint256 private constant FULL = 0xfdfbf7efdfbf;

    /// @inheritdoc IRules
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn) {
        if (uint256(setup) > 1) revert IllegalMove("unknown setup");
        return (new bytes(14), uint8(1 + uint256(setup)));
    }

    /// @inheritdoc IRules
    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory next, uint8 nextTurn, int32 result) {
        if (position.length != 14 || move.length != 1) revert IllegalMove("length");
        int32 wins = turn == 1 ? -WHOLE : WHOLE; // Alice winning takes Bob's lock
        uint256 column = uint8(move[0]);
        if (column == RESIGN) return (position, 0, -wins);
        if (column > 6) revert IllegalMove("no such column");
        uint256 alice = uint56(bytes7(position));
        uint256 bob = uint56(bytes7(position[7:]));
        uint256 place = ((alice | bob) & (COLUMN << (7 * column))) + (1 << (7 * column));
        if (place & FULL == 0) revert IllegalMove("column full");
        uint256 own = (turn == 1 ? alice : bob) | place;
        (alice, bob) = turn == 1 ? (own, bob) : (alice, own);
        next = abi.encodePacked(uint56(alice), uint56(bob));
        if (_hasFour(own)) return (next, 0, wins);
        if (alice | bob == FULL) return (next, 0, 0);
        return (next, 3 - turn, 0);
    }

    /// @inheritdoc IRules
    function limits() external pure returns (uint32 moves, uint32 positionBytes, uint32 moveBytes) {
        return (42, 14, 1);
    }

    /// @dev Upwards, along the row, and both diagonals.
    function _hasFour(uint256 own) private pure returns (bool) {
        return _along(own, 1) || _along(own, 7) || _along(own, 6) || _along(own, 8);
    }

    function _along(uint256 own, uint256 step) private pure returns (bool) {
        uint256 pairs = own & (own >> step);
        return pairs & (pairs >> (2 * step)) != 0;
    }
}
