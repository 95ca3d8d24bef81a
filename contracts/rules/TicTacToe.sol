// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../interfaces/IRules.sol";

/// @title Tic-tac-toe
/// @notice A position is four bytes: Alice's cells, then Bob's, a bit for each of the nine, the lowest bit the upper
/// left corner, row by row. A move is one byte: a cell from 0 to 8, or 255 to resign. Setup 0: Alice begins, 1: Bob.
/// Three in a row win the other's whole lock; a full board without is a draw, and nothing moves.
contract TicTacToe is IRules {
    uint256 private constant FULL = 0x1ff;
    uint8 private constant RESIGN = 255;
    int32 private constant WHOLE = 1e9;

    /// @dev The eight rows, columns and diagonals, 16 bits each.
    uint256 private constant LINES = 0x0007_0038_01c0_0049_0092_0124_0111_0054;

    /// @inheritdoc IRules
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn) {
        if (uint256(setup) > 1) revert IllegalMove("unknown setup");
        return (_position(0, 0), uint8(1 + uint256(setup)));
    }

    /// @inheritdoc IRules
    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory next, uint8 nextTurn, int32 result) {
        if (position.length != 4 || move.length != 1) revert IllegalMove("length");
        uint256 alice = uint16(bytes2(position));
        uint256 bob = uint16(bytes2(position[2:]));
        uint8 cell = uint8(move[0]);
        int32 wins = turn == 1 ? -WHOLE : WHOLE; // Alice winning takes Bob's lock
        if (cell == RESIGN) return (position, 0, -wins);
        if (cell > 8) revert IllegalMove("no such cell");
        uint256 bit = 1 << cell;
        if ((alice | bob) & bit != 0) revert IllegalMove("cell taken");
        uint256 own = (turn == 1 ? alice : bob) | bit;
        (alice, bob) = turn == 1 ? (own, bob) : (alice, own);
        next = _position(alice, bob);
        if (_hasLine(own)) return (next, 0, wins);
        if (alice | bob == FULL) return (next, 0, 0);
        return (next, 3 - turn, 0);
    }

    /// @inheritdoc IRules
    function limits() external pure returns (uint32 moves, uint32 positionBytes, uint32 moveBytes) {
        return (9, 4, 1);
    }

    function _position(uint256 alice, uint256 bob) private pure returns (bytes memory) {
        return abi.encodePacked(uint16(alice), uint16(bob));
    }

    function _hasLine(uint256 cells) private pure returns (bool) {
        for (uint256 lines = LINES; lines != 0; lines >>= 16) {
            uint256 line = lines & FULL;
            if (cells & line == line) return true;
        }
        return false;
    }
}
