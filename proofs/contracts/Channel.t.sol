// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MSContract} from "../../contracts/MSContract.sol";
import {Channel, Nano} from "../../contracts/types/ChannelTypes.sol";

/// @notice Money of a channel, over all amounts and nets (protocol, section 3). This contract stands in all roles
/// of the channel, so that no signature is needed; who may sign is the business of `Signatures.t.sol` and the tests.
contract ChannelProof {
    MSContract private ms = new MSContract();

    receive() external payable {}

    function _channel() private view returns (Channel memory) {
        return Channel(address(this), address(this), address(this), address(this), address(0), 0, 1);
    }

    function _fund(uint112 alice, uint112 bob) private returns (bytes32 id) {
        id = ms.channelId(_channel());
        ms.deposit{value: alice}(address(0), id, false, alice, type(uint40).max);
        ms.deposit{value: bob}(address(0), id, true, bob, type(uint40).max);
    }

    /// @notice `close` pays Alice her side less `net` and Bob his plus `net`, or reverts; nothing stays behind.
    function check_close_pays_what_is_there(uint112 alice, uint112 bob, int112 net) external {
        bytes32 id = _fund(alice, bob);
        try ms.close(_channel(), net, type(uint40).max, 3, "", "") {
            assert(int256(uint256(alice)) - net >= 0 && int256(uint256(bob)) + net >= 0);
            assert(ms.credit(address(0), address(this)) == uint256(alice) + bob);
            (int112 a, int112 b, uint256 count, bool drawn, bool disputed) = ms.holdings(address(0), id);
            assert(a == 0 && b == 0 && count == 0 && !drawn && !disputed);
        } catch {
            assert(uint256(alice) + bob == 0 || int256(uint256(alice)) - net < 0 || int256(uint256(bob)) + net < 0);
        }
    }

    /// @notice A state is registered only if neither side's free money is negative: two nanos, any locks, any net.
    function check_registered_states_are_solvent(
        uint112 alice,
        uint112 bob,
        int112 net,
        uint112 aliceLock,
        uint112 bobLock,
        uint112 secondLock
    ) external {
        _fund(alice, bob);
        Nano[] memory nanos = new Nano[](2);
        nanos[0] = Nano(address(1), bytes32(uint256(1)), aliceLock, bobLock, 0, false);
        nanos[1] = Nano(address(1), bytes32(uint256(2)), secondLock, 0, 0, false);
        try ms.register(_channel(), 1, net, nanos, "", "", new bytes[](0)) {
            assert(int256(uint256(alice)) - net >= int256(uint256(aliceLock) + secondLock));
            assert(int256(uint256(bob)) + net >= int256(uint256(bobLock)));
        } catch {}
    }

    /// @notice A withdrawal lowers each side by what it pays, and the sum never falls below zero.
    function check_withdraw_lowers_both_sides(uint112 alice, uint112 bob, uint112 toAlice, uint112 toBob) external {
        bytes32 id = _fund(alice, bob);
        uint256 before = address(this).balance;
        try ms.withdraw(_channel(), 0, toAlice, toBob, type(uint40).max, "", "") {
            (int112 a, int112 b, uint256 count, , ) = ms.holdings(address(0), id);
            assert(int256(a) == int256(uint256(alice)) - int256(uint256(toAlice)));
            assert(int256(b) == int256(uint256(bob)) - int256(uint256(toBob)));
            assert(int256(a) + b >= 0 && count == 1);
            uint256 paid = address(this).balance - before + ms.credit(address(0), address(this));
            assert(paid == uint256(toAlice) + toBob);
        } catch {
            assert(uint256(toAlice) + toBob > uint256(alice) + bob);
        }
    }
}
