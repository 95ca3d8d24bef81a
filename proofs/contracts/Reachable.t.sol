// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../../contracts/LibSignatures.sol";
import {MSContract} from "../../contracts/MSContract.sol";
import {VPM} from "../../contracts/VPM.sol";
import {Channel, Nano} from "../../contracts/types/ChannelTypes.sol";
import {Machine} from "../../contracts/types/MachineTypes.sol";

/// @notice What the proofs speak of does happen: each of these claims that it never does, and must be refuted.
/// A proof about something that cannot happen would hold for any contract.
contract ReachableProof {
    MSContract private ms = new MSContract();

    receive() external payable {}

    function _channel() private view returns (Channel memory) {
        return Channel(address(this), address(this), address(this), address(this), address(0), 0, 1);
    }

    function _fund(uint112 alice, uint112 bob) private {
        bytes32 id = ms.channelId(_channel());
        ms.deposit{value: alice}(address(0), id, false, alice, type(uint40).max);
        ms.deposit{value: bob}(address(0), id, true, bob, type(uint40).max);
    }

    function check_refuted_close_never_succeeds(uint112 alice, uint112 bob, int112 net) external {
        _fund(alice, bob);
        try ms.close(_channel(), net, type(uint40).max, 3, "", "") {
            assert(net == 0);
        } catch {}
    }

    function check_refuted_register_never_succeeds(uint112 alice, uint112 bob, int112 net, uint112 lock) external {
        _fund(alice, bob);
        Nano[] memory nanos = new Nano[](1);
        nanos[0] = Nano(address(1), bytes32(uint256(1)), lock, 0, 0, false);
        try ms.register(_channel(), 1, net, nanos, "", "", new bytes[](0)) {
            assert(lock == 0 || net == 0);
        } catch {}
    }

    function check_refuted_withdraw_leaves_no_side_negative(uint112 alice, uint112 bob, uint112 toAlice) external {
        _fund(alice, bob);
        try ms.withdraw(_channel(), 0, toAlice, 0, type(uint40).max, "", "") {
            assert(toAlice <= alice);
        } catch {}
    }

    function signer(bytes32 digest, bytes calldata signature) external view returns (address) {
        return LibSignatures.signerOf(digest, signature);
    }

    function check_refuted_nobody_ever_signed(bytes32 digest, bytes32 r, bytes32 s, uint8 v) external view {
        assert(this.signer(digest, abi.encodePacked(r, s, v)) == address(0));
    }
}

/// @notice As above, for the machine.
/// @custom:halmos --storage-layout generic
contract ReachableMachineProof {
    VPM private vpm = new VPM();

    function check_refuted_totals_never_rise(Machine calldata machine, uint112 byAlice) external {
        try vpm.submitStatements(machine, byAlice, new bytes(65), 0, "") {} catch {}
        (uint112 a, , ) = vpm.totals(vpm.machineId(machine));
        assert(a == 0);
    }
}
