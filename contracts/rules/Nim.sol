// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRules} from "../interfaces/IRules.sol";

/// @title Nim
/// @notice Four heaps of 1, 3, 5 and 7; each takes any number of one heap in turn, and whoever takes the last wins the
/// other's whole lock. A position is four bytes, a heap each. A move is one byte: the heap, 0 to 3, in its upper half,
/// and how many are taken in its lower one; or 255 to resign. Setup 0: Alice begins, 1: Bob.
contract Nim is IRules {
    uint8 private constant RESIGN = 255;
    int32 private constant WHOLE = 1e9;
    bytes4 private constant HEAPS = 0x01030507;

    /// @inheritdoc IRules
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn) {
        if (uint256(setup) > 1) revert IllegalMove("unknown setup");
        return (abi.encodePacked(HEAPS), uint8(1 + uint256(setup)));
    }

    /// @inheritdoc IRules
    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory next, uint8 nextTurn, int32 result) {
        if (position.length != 4 || move.length != 1) revert IllegalMove("length");
        int32 wins = turn == 1 ? -WHOLE : WHOLE; // Alice winning takes Bob's lock
        uint256 typed = uint8(move[0]);
        if (typed == RESIGN) return (position, 0, -wins);
        (uint256 heap, uint256 taken) = (typed >> 4, typed & 15);
        if (heap > 3) revert IllegalMove("no such heap");
        if (taken == 0) revert IllegalMove("take one at least");
        if (taken > uint8(position[heap])) revert IllegalMove("so many are not there");
        uint32 heaps = uint32(bytes4(position)) - uint32(taken << (8 * (3 - heap)));
        next = abi.encodePacked(heaps);
        if (heaps == 0) return (next, 0, wins);
        return (next, 3 - turn, 0);
    }

    /// @inheritdoc IRules
    function limits() external pure returns (uint32 moves, uint32 positionBytes, uint32 moveBytes) {
        return (16, 4, 1);
    }
}
