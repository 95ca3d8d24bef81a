// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Machine} from "../types/MachineTypes.sol";
import {INanocontract} from "./INanocontract.sol";

/// @title The virtual payment machine: a nanocontract for payments
/// @notice Each side hands the other one-signature statements "I have paid you this much in total". When somebody
/// submits, both sides have a challenge to bring their highest; then the difference is the outcome. If nobody
/// submits by `validity`, nothing moves. Final time: `validity + challenge`.
///
/// Typed data (EIP-712), domain `{name: "Perun VPM", version: "1", chainId, verifyingContract}`:
/// - `Statement(bytes32 machine,uint112 paid)`, signed by the payer's key alone
/// - `Ready(bytes32 machine)`, exchanged off chain only
///
/// `submit` takes `abi.encode(machine, paidByAlice, signatureAlice, paidByBob, signatureBob)`.
interface IVPM is INanocontract {
    /// @notice A total has risen; both totals after it, and the last second at which they may rise again.
    event Submitted(bytes32 indexed id, uint112 paidByAlice, uint112 paidByBob, uint40 deadline);

    /// @notice `validity`, or the deadline of a submission that has begun, is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice A total exceeds `2**111 - 1`.
    error TotalTooLarge(uint256 paid);

    /// @notice `validity + challenge` does not fit the 34 bits that store a deadline.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice A signature is malformed (`recovered` is zero) or by another key.
    error WrongSigner(address expected, address recovered);

    /// @notice Evidence for `submit` is not laid out as `abi.encode` would.
    error MalformedEvidence(uint256 length);

    /// @notice Raises the recorded totals; whoever calls.
    /// @dev A total that is not above the recorded one, or of a side whose lock is 0, is ignored, and its signature
    /// with it; a call that raises nothing changes nothing and does not revert.
    /// @param paidByAlice Alice's total over the life of the machine.
    /// @param paidByBob Bob's total over the life of the machine.
    function submitStatements(
        Machine calldata machine,
        uint112 paidByAlice,
        bytes calldata signatureAlice,
        uint112 paidByBob,
        bytes calldata signatureBob
    ) external;

    /// @notice The machine's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, machine))`.
    function machineId(Machine calldata machine) external view returns (bytes32);

    /// @notice Recorded totals, and the last second at which they may rise; all zero if nobody has submitted.
    function totals(bytes32 id) external view returns (uint112 paidByAlice, uint112 paidByBob, uint40 deadline);

    /// @notice EIP-712 domain separator, fixed at deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
