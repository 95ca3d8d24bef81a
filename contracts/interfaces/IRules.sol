// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The rules of a game: pure functions that know no stakes, no keys and no instance
/// @notice `TurnGame` calls `play` for a move that is made on chain; players run the same code off chain, in an EVM of
/// their own. What a rules contract must keep (protocol, section 4):
/// - every function is pure, and its reachable code has no opcode that looks at gas, state, caller or block;
/// - an illegal move reverts; a legal one answers within `TurnGame.RULES_GAS`, by half of it to be admitted;
/// - a game settles after at most `limits().moves` moves.
interface IRules {
    /// @notice The move breaks the rules; `reason` is a short word for people, in ASCII.
    error IllegalMove(bytes32 reason);

    /// @notice The position in which a game begins, and who moves first.
    /// @dev Never called on chain: both players sign its result as version 0.
    /// @param setup Chosen by the players; a setup that the rules do not know reverts.
    /// @return position In the rules' own encoding.
    /// @return turn 1 Alice, 2 Bob.
    function start(bytes32 setup) external pure returns (bytes memory position, uint8 turn);

    /// @notice The position after a move; reverts if the move is illegal.
    /// @param position As `start` or `play` made it, or as both players signed it.
    /// @param turn Who moves: 1 Alice, 2 Bob.
    /// @param move In the rules' own encoding; a draw by rule, a claim and a resignation are moves.
    /// @return next At most 4,096 bytes.
    /// @return nextTurn 1 Alice, 2 Bob, 0 finished.
    /// @return result Counts only if finished: parts of 10**9 of Alice's lock that go to Bob (positive), or of Bob's
    /// lock that go to Alice (negative).
    function play(
        bytes calldata position,
        uint8 turn,
        bytes calldata move
    ) external pure returns (bytes memory next, uint8 nextTurn, int32 result);

    /// @notice For players: how long a game and how great its parts can become.
    /// @return moves Most moves from `start` to the end.
    /// @return positionBytes Longest position.
    /// @return moveBytes Longest move.
    function limits() external pure returns (uint32 moves, uint32 positionBytes, uint32 moveBytes);
}
