// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./interfaces/INanocontract.sol";
import {IVPM} from "./interfaces/IVPM.sol";
import {LibSignatures} from "./LibSignatures.sol";
import {ChannelHash} from "./libraries/ChannelHash.sol";
import {MachineTerms} from "./libraries/MachineTerms.sol";
import {Machine} from "./types/MachineTypes.sol";

/// @title VPM, the virtual payment machine
/// @notice See `IVPM`; the protocol is docs/protocol.md, section 4.
contract VPM is IVPM {
    using MachineTerms for MachineTerms.View;

    /// @dev From the top: 34 bits deadline, 111 bits paid by Bob, 111 bits paid by Alice. Never cleared: an outcome
    /// stays what it is.
    struct Record {
        uint256 word;
    }

    uint256 private constant TOTAL_LIMIT = (1 << 111) - 1;
    uint256 private constant DEADLINE_LIMIT = (1 << 34) - 1;

    /// @inheritdoc IVPM
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun VPM");

    /// @inheritdoc IVPM
    function submitStatements(
        Machine calldata machine,
        uint112 paidByAlice,
        bytes calldata signatureAlice,
        uint112 paidByBob,
        bytes calldata signatureBob
    ) external {
        _submit(machine, paidByAlice, signatureAlice, paidByBob, signatureBob);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        if (evidence.length < 352) revert MalformedEvidence(evidence.length);
        Machine calldata machine;
        uint256 paidByAlice;
        uint256 paidByBob;
        assembly ("memory-safe") {
            machine := evidence.offset
            paidByAlice := calldataload(add(evidence.offset, 224))
            paidByBob := calldataload(add(evidence.offset, 288))
        }
        _submit(machine, paidByAlice, _bytesAt(evidence, 256), paidByBob, _bytesAt(evidence, 320));
    }

    /// @inheritdoc INanocontract
    /// @dev Assembly replaces `deadline != 0 && block.timestamp > deadline` and the encoding of two words. Both totals
    /// are below 2**111, so the difference fits its type.
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        (uint256 a, uint256 b, uint256 deadline) = _unpack(_record(id).word);
        assembly ("memory-safe") {
            done := lt(sub(deadline, 1), sub(timestamp(), 1)) // without a deadline no time is late enough
            shift := mul(done, sub(a, b))
            mstore(0, done)
            mstore(32, shift)
            return(0, 64)
        }
    }

    /// @inheritdoc IVPM
    function totals(bytes32 id) external view returns (uint112 paidByAlice, uint112 paidByBob, uint40 deadline) {
        (uint256 a, uint256 b, uint256 until) = _unpack(_record(id).word);
        return (uint112(a), uint112(b), uint40(until));
    }

    /// @inheritdoc IVPM
    function machineId(Machine calldata machine) external view returns (bytes32 id) {
        (id, ) = MachineTerms.read(DOMAIN_SEPARATOR, machine);
    }

    /// @dev The byte string whose offset stands at `head`. Assembly replaces `abi.decode`, which copies to memory;
    /// the checks are the same: offset and length stay inside the evidence.
    function _bytesAt(bytes calldata evidence, uint256 head) private pure returns (bytes calldata slice) {
        uint256 start;
        assembly ("memory-safe") {
            start := calldataload(add(evidence.offset, head))
        }
        uint256 last;
        unchecked {
            last = evidence.length - 32; // `submit` has seen to 352
        }
        if (start > last) revert MalformedEvidence(evidence.length);
        assembly ("memory-safe") {
            slice.offset := add(add(evidence.offset, start), 32)
            slice.length := calldataload(add(evidence.offset, start))
        }
        unchecked {
            if (slice.length > last - start) revert MalformedEvidence(evidence.length); // not negative, as just seen
        }
    }

    function _submit(
        Machine calldata machine,
        uint256 paidByAlice,
        bytes calldata signatureAlice,
        uint256 paidByBob,
        bytes calldata signatureBob
    ) private {
        if ((paidByAlice | paidByBob) > TOTAL_LIMIT) {
            revert TotalTooLarge(paidByAlice > TOTAL_LIMIT ? paidByAlice : paidByBob);
        }
        (bytes32 id, MachineTerms.View terms) = MachineTerms.read(DOMAIN_SEPARATOR, machine);
        uint256 finalTime;
        unchecked {
            finalTime = terms.validity() + terms.challenge(); // 40 and 32 bits
        }
        if (finalTime > DEADLINE_LIMIT) revert FinalTimeTooFar(finalTime);

        Record storage record = _record(id);
        (uint256 a, uint256 b, uint256 deadline) = _unpack(record.word);
        bool aliceRises = _rises(paidByAlice, a, terms.aliceLock());
        bool bobRises = _rises(paidByBob, b, terms.bobLock());
        if (!aliceRises && !bobRises) return;

        uint256 limit = deadline;
        if (deadline == 0) {
            limit = terms.validity();
            unchecked {
                deadline = block.timestamp + terms.challenge(); // at most the final time, if not late
            }
        }
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        if (aliceRises) {
            _requireStatement(terms.alice(), id, paidByAlice, signatureAlice);
            a = paidByAlice;
        }
        if (bobRises) {
            _requireStatement(terms.bob(), id, paidByBob, signatureBob);
            b = paidByBob;
        }
        record.word = (deadline << 222) | (b << 111) | a;
        MachineTerms.logSubmitted(Submitted.selector, id, a, b, deadline);
    }

    /// @dev Where an instance's record is: at its id, which is a hash already. Nothing else is stored here. Assembly
    /// replaces a mapping, which would hash it again.
    function _record(bytes32 id) private pure returns (Record storage record) {
        assembly ("memory-safe") {
            record.slot := id
        }
    }

    /// @dev Whether a total counts and is news. Assembly replaces `&&`, a branch.
    function _rises(uint256 paid, uint256 known, uint256 lock) private pure returns (bool yes) {
        assembly ("memory-safe") {
            yes := and(gt(paid, known), gt(lock, 0))
        }
    }

    function _requireStatement(address payer, bytes32 id, uint256 paid, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(
            ChannelHash.statementDigest(DOMAIN_SEPARATOR, id, uint112(paid)),
            signature
        );
        if (!LibSignatures.isSigner(recovered, payer)) revert WrongSigner(payer, recovered);
    }

    function _unpack(uint256 record) private pure returns (uint256 paidByAlice, uint256 paidByBob, uint256 deadline) {
        return (record & TOTAL_LIMIT, (record >> 111) & TOTAL_LIMIT, record >> 222);
    }
}
