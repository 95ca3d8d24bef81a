// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VPM} from "../../contracts/VPM.sol";
import {Machine} from "../../contracts/types/MachineTypes.sol";

/// @notice The payment machine's record, over all terms, totals, signatures and times (protocol, section 4).
/// A second submission is as general as a third, since a call reads nothing but the record.
/// VPM keeps a record at the slot that is its id, so storage is one array to the checker here.
/// @custom:halmos --storage-layout generic
contract MachineProof {
    VPM private vpm = new VPM();

    /// @notice A submission never lowers a total, never moves a deadline that is set, records nothing for a side
    /// without lock, and keeps totals and deadline within their bits.
    function check_totals_only_rise(
        Machine calldata machine,
        uint112 firstAlice,
        uint112 firstBob,
        uint112 secondAlice,
        uint112 secondBob
    ) external {
        bytes32 id = vpm.machineId(machine);
        bytes memory signature = new bytes(65);
        try vpm.submitStatements(machine, firstAlice, signature, firstBob, signature) {} catch {}
        (uint112 a, uint112 b, uint40 deadline) = vpm.totals(id);
        try vpm.submitStatements(machine, secondAlice, signature, secondBob, signature) {} catch {}
        (uint112 a2, uint112 b2, uint40 deadline2) = vpm.totals(id);
        assert(a2 >= a && b2 >= b);
        if (deadline != 0) assert(deadline2 == deadline);
        if (machine.aliceLock == 0) assert(a2 == 0);
        if (machine.bobLock == 0) assert(b2 == 0);
        assert(a2 < 2 ** 111 && b2 < 2 ** 111 && deadline2 < 2 ** 34);
        if (deadline2 != 0) assert(deadline2 <= uint256(machine.validity) + machine.challenge);
    }

    /// @notice An outcome is the difference of the totals, and there is none before the deadline is over.
    function check_outcome(Machine calldata machine, uint112 byAlice, uint112 byBob) external {
        bytes32 id = vpm.machineId(machine);
        bytes memory signature = new bytes(65);
        try vpm.submitStatements(machine, byAlice, signature, byBob, signature) {} catch {}
        (uint112 a, uint112 b, uint40 deadline) = vpm.totals(id);
        (bool done, int112 shift) = vpm.outcome(id);
        assert(done == (deadline != 0 && block.timestamp > deadline));
        if (done) assert(int256(shift) == int256(uint256(a)) - int256(uint256(b)));
    }

    /// @notice Another machine's record is untouched.
    function check_isolation(Machine calldata machine, bytes32 other, uint112 byAlice, uint112 byBob) external {
        if (other == vpm.machineId(machine)) return;
        bytes memory signature = new bytes(65);
        try vpm.submitStatements(machine, byAlice, signature, byBob, signature) {} catch {}
        (uint112 a, uint112 b, uint40 deadline) = vpm.totals(other);
        assert(a == 0 && b == 0 && deadline == 0);
    }
}
