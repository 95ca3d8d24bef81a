// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accounting} from "../../contracts/libraries/Accounting.sol";
import {ChannelHash} from "../../contracts/libraries/ChannelHash.sol";
import {ChannelTerms} from "../../contracts/libraries/ChannelTerms.sol";
import {GasAllowance} from "../../contracts/libraries/GasAllowance.sol";
import {MachineTerms} from "../../contracts/libraries/MachineTerms.sol";
import {NanoList} from "../../contracts/libraries/NanoList.sol";
import {Channel, Nano} from "../../contracts/types/ChannelTypes.sol";
import {Machine} from "../../contracts/types/MachineTypes.sol";

/// @title The libraries' internal functions, one by one, beside Solidity's own forms where there are some
/// @dev Each function that writes memory is followed by an allocation, which would show what it broke.
contract LibraryProbe {
    using NanoList for NanoList.Block;
    using NanoList for NanoList.Item;

    event Registered(bytes32 indexed id, uint48 version, int112 net, Nano[] nanos, uint40 deadline);
    event Settled(bytes32 indexed id, uint256 alicePaid, uint256 bobPaid, Nano[] remaining);

    modifier keepsMemory() {
        bytes memory before = abi.encode("before", uint256(1));
        _;
        bytes memory behind = abi.encode("before", uint256(1));
        assert(keccak256(before) == keccak256(behind));
    }

    function state(
        bytes32 domain,
        bytes32 channel,
        uint256 version,
        int256 net,
        bytes32 nanos
    ) external pure keepsMemory returns (bytes32 digest, bytes32 hash) {
        return ChannelHash.state(domain, channel, version, net, nanos);
    }

    function closeDigest(
        bytes32 domain,
        bytes32 channel,
        int256 net,
        uint256 validUntil,
        uint256 toCredit
    ) external pure keepsMemory returns (bytes32) {
        return ChannelHash.closeDigest(domain, channel, net, validUntil, toCredit);
    }

    function openDigest(
        bytes32 domain,
        bytes32 channel,
        uint256 aliceAmount,
        uint256 bobAmount,
        uint256 validUntil
    ) external pure keepsMemory returns (bytes32) {
        return ChannelHash.openDigest(domain, channel, aliceAmount, bobAmount, validUntil);
    }

    function withdrawDigest(
        bytes32 domain,
        bytes32 channel,
        uint256 index,
        uint256 aliceAmount,
        uint256 bobAmount,
        uint256 validUntil
    ) external pure keepsMemory returns (bytes32) {
        return ChannelHash.withdrawDigest(domain, channel, index, aliceAmount, bobAmount, validUntil);
    }

    function statementDigest(
        bytes32 domain,
        bytes32 machine,
        uint256 paid
    ) external pure keepsMemory returns (bytes32) {
        return ChannelHash.statementDigest(domain, machine, paid);
    }

    function stateHash(
        bytes32 id,
        uint256 version,
        int256 net,
        bytes32 nanos
    ) external pure keepsMemory returns (bytes32) {
        return ChannelHash.stateHash(id, version, net, nanos);
    }

    /// @notice The terms as the library reads them, encoded by Solidity.
    function channelTerms(bytes32 domain, Channel calldata channel) external pure returns (bytes32 id, bytes memory) {
        ChannelTerms.View terms;
        (id, terms) = ChannelTerms.read(domain, channel);
        return (
            id,
            abi.encode(
                ChannelTerms.alice(terms),
                ChannelTerms.bob(terms),
                ChannelTerms.aliceKey(terms),
                ChannelTerms.bobKey(terms),
                ChannelTerms.asset(terms),
                ChannelTerms.challenge(terms)
            )
        );
    }

    function machineTerms(bytes32 domain, Machine calldata machine) external pure returns (bytes32 id, bytes memory) {
        MachineTerms.View terms;
        (id, terms) = MachineTerms.read(domain, machine);
        return (
            id,
            abi.encode(
                MachineTerms.alice(terms),
                MachineTerms.bob(terms),
                MachineTerms.aliceLock(terms),
                MachineTerms.bobLock(terms),
                MachineTerms.validity(terms),
                MachineTerms.challenge(terms)
            )
        );
    }

    /// @notice The list's hash by assembly and by `abi.encode`, of the items whose bit in `kept` is 1.
    function nanosHash(Nano[] calldata nanos, uint256 kept) external pure returns (bytes32 ours, bytes32 plain) {
        NanoList.Block list = NanoList.copy(nanos);
        uint256 left;
        for (uint256 i; i < nanos.length; ++i) {
            if ((kept >> i) & 1 == 1) list.put(left++, list.itemAt(i));
        }
        list.shorten(left);
        ours = list.hash();
        Nano[] memory remaining = _kept(nanos, kept, left);
        plain = left == 0 ? bytes32(0) : keccak256(abi.encode(remaining));
    }

    /// @notice Each event twice: by assembly, and by Solidity.
    function logs(bytes32 id, uint48 version, int112 net, Nano[] calldata nanos, uint40 deadline) external {
        NanoList.copy(nanos).logRegistered(Registered.selector, id, version, net, deadline);
        emit Registered(id, version, net, nanos, deadline);
        NanoList.copy(nanos).logSettled(Settled.selector, id, version, deadline);
        emit Settled(id, version, deadline, nanos);
    }

    function checkNano(Nano[] calldata nanos) external pure returns (bytes memory) {
        NanoList.Item nano = NanoList.copy(nanos).itemAt(0);
        nano.check();
        return abi.encode(nano.app(), nano.id(), nano.aliceLock(), nano.bobLock(), nano.expiry(), nano.swapped());
    }

    function sides(uint256 funds) external pure returns (int256, int256) {
        return Accounting.sides(funds);
    }

    function raise(uint256 funds, uint256 offset, uint256 amount) external pure returns (uint256) {
        return Accounting.raise(funds, offset, amount);
    }

    function withSides(uint256 funds, uint256 alice, uint256 bob) external pure returns (uint256) {
        return Accounting.withSides(funds, alice, bob);
    }

    function disputeWord(
        uint256 deadline,
        uint256 version,
        uint256 hash
    ) external pure returns (uint256 word, uint256, uint256) {
        word = Accounting.packDispute(deadline, version, hash);
        return (word, Accounting.deadlineOf(word), Accounting.versionOf(word));
    }

    function clampToLocks(int256 shift, uint256 aliceLock, uint256 bobLock) external pure returns (int256) {
        return Accounting.clampToLocks(shift, aliceLock, bobLock);
    }

    function requireFull(uint256 gasBefore, uint256 allowance) external pure {
        GasAllowance.requireFull(gasBefore, allowance);
    }

    function _kept(Nano[] calldata nanos, uint256 kept, uint256 left) private pure returns (Nano[] memory remaining) {
        remaining = new Nano[](left);
        uint256 next;
        for (uint256 i; i < nanos.length; ++i) {
            if ((kept >> i) & 1 == 1) remaining[next++] = nanos[i];
        }
    }
}
