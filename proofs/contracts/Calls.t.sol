// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MSContract} from "../../contracts/MSContract.sol";
import {Channel, Nano} from "../../contracts/types/ChannelTypes.sol";

interface Clock {
    function warp(uint256) external;
}

/// @notice The other external functions, over all amounts, nets, versions and times (protocol, section 3). This
/// contract stands in all roles of the channel, as in `Channel.t.sol`.
contract CallsProof {
    Clock private constant CLOCK = Clock(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant MOST = 2 ** 111 - 1;
    MSContract private ms = new MSContract();

    receive() external payable {}

    function _channel(uint32 challenge) private view returns (Channel memory) {
        return Channel(address(this), address(this), address(this), address(this), address(0), challenge, 1);
    }

    function _fund(uint32 challenge, uint112 alice, uint112 bob) private returns (bytes32 id) {
        id = ms.channelId(_channel(challenge));
        ms.deposit{value: alice}(address(0), id, false, alice, type(uint40).max);
        ms.deposit{value: bob}(address(0), id, true, bob, type(uint40).max);
    }

    function _register(uint32 challenge, uint48 version, int112 net) private {
        ms.register(_channel(challenge), version, net, new Nano[](0), "", "", new bytes[](0));
    }

    /// @notice A deposit raises its side alone, by its amount, unless a side would not fit any more.
    function check_deposit_raises_one_side(uint112 alice, uint112 bob, uint112 amount, bool toBob) external {
        bytes32 id = _fund(0, alice, bob);
        try ms.deposit{value: amount}(address(0), id, toBob, amount, type(uint40).max) {
            (int112 a, int112 b, uint256 count, bool drawn, bool disputed) = ms.holdings(address(0), id);
            assert(int256(a) == int256(uint256(alice) + (toBob ? 0 : amount)));
            assert(int256(b) == int256(uint256(bob) + (toBob ? amount : 0)));
            assert(count == 0 && !drawn && !disputed);
        } catch {
            assert(uint256(toBob ? bob : alice) + amount > MOST || amount > address(this).balance);
        }
    }

    /// @notice `open` raises the caller's side, here Alice's, as a deposit does.
    function check_open_raises_the_callers_side(uint112 alice, uint112 amount) external {
        bytes32 id = _fund(0, alice, 0);
        try ms.open{value: amount}(_channel(0), amount, type(uint40).max) {
            (int112 a, int112 b, , , ) = ms.holdings(address(0), id);
            assert(int256(a) == int256(uint256(alice) + amount) && b == 0);
        } catch {
            assert(uint256(alice) + amount > MOST || amount > address(this).balance);
        }
    }

    /// @notice Nothing comes into a disputed channel.
    function check_no_deposit_in_a_dispute(uint112 alice, uint112 amount, bool toBob) external {
        bytes32 id = _fund(100, alice, 1);
        _register(100, 0, 0);
        try ms.deposit{value: amount}(address(0), id, toBob, amount, type(uint40).max) {
            assert(false);
        } catch {}
    }

    /// @notice `claim` lowers its caller's credit by what it pays, and pays no more than that.
    function check_claim_lowers_credit(uint128 has, uint256 amount) external {
        ms.fund{value: has}(address(0), address(this), has);
        uint256 before = address(this).balance;
        try ms.claim(address(0), amount, address(this)) {
            assert(amount <= has);
            assert(ms.credit(address(0), address(this)) == has - amount);
            assert(address(this).balance == before + amount);
        } catch {
            assert(amount > has);
        }
    }

    /// @notice `fund` raises the named account's credit by what came.
    function check_fund_raises_credit(uint128 first, uint128 second) external {
        ms.fund{value: first}(address(0), address(1), first);
        ms.fund{value: second}(address(0), address(1), second);
        assert(ms.credit(address(0), address(1)) == uint256(first) + second);
        assert(ms.credit(address(0), address(2)) == 0);
    }

    /// @notice A version that is not higher changes nothing and does not revert; a higher one replaces the state; the
    /// deadline stays either way.
    function check_a_newer_state_replaces(uint48 first, uint48 second, uint32 later) external {
        bytes32 id = _fund(1000, 100, 100);
        if (first == 0 || second == 0 || first >= 2 ** 48 - 1 || second >= 2 ** 48 - 1) return;
        _register(1000, first, 1);
        (, uint40 until, , uint256 before) = ms.dispute(address(0), id);
        if (later > 1000) return;
        CLOCK.warp(block.timestamp + later);
        _register(1000, second, 2);
        (uint48 version, uint40 deadline, bool settling, uint256 stateHash) = ms.dispute(address(0), id);
        assert(version == (second > first ? second : first));
        assert(deadline == until && !settling);
        assert((stateHash == before) == (second <= first));
    }

    /// @notice `settle` pays each side its holdings and the registered `net`, after the deadline and never by it.
    function check_settle_pays_what_was_registered(uint112 alice, uint112 bob, int112 net, uint32 later) external {
        bytes32 id = _fund(1000, alice, bob);
        _register(1000, 1, net);
        uint256 before = address(this).balance;
        uint256 had = ms.credit(address(0), address(this));
        CLOCK.warp(block.timestamp + later);
        try ms.settle(_channel(1000), net, new Nano[](0)) {
            assert(later > 1000);
            assert(address(this).balance + ms.credit(address(0), address(this)) == before + had + alice + bob);
            (int112 a, int112 b, uint256 count, bool drawn, bool disputed) = ms.holdings(address(0), id);
            assert(a == 0 && b == 0 && count == 0 && !drawn && !disputed);
        } catch {
            assert(later <= 1000);
        }
    }
}
