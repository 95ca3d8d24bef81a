// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract that decides how much of the money locked under an instance moves
/// @notice Rules for every implementation (protocol, section 4):
/// - an instance id is the hash of all parameters and of the contract's domain separator;
/// - `outcome` depends on the instance and the clock only, not even on the gas it is given; its cost does not grow;
/// - once an instance is done its outcome never changes; a final time follows from the parameters, and what is
///   not done by then never will be;
/// - `outcome` moves nothing from a side that the side has not signed, or forfeited by a clock it knew;
/// - evidence carries its own signatures: never look at `msg.sender`, balances or other contracts;
/// - old news is ignored, never an error; records are never cleared.
interface INanocontract {
    /// @notice What instance `id` has decided.
    /// @dev Must answer within a tenth of 120,000 gas, cold.
    /// @return done Whether the decision is final.
    /// @return shift Amount that moves from the instance's Alice to its Bob (negative: the other way), in the
    /// asset's smallest unit; meaningful only if done.
    function outcome(bytes32 id) external view returns (bool done, int112 shift);

    /// @notice Takes evidence in the implementation's own encoding, from anybody.
    /// @dev Called by `MSContract.register` with 300,000 gas.
    function submit(bytes calldata evidence) external;
}
