// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Channel} from "../types/ChannelTypes.sol";
import {Machine} from "../types/MachineTypes.sol";

/// @title Ids and typed-data digests (EIP-712)
/// @dev Pure functions over plain values; every type string of the contracts stands here.
library ChannelHash {

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant STATE_TYPEHASH =
        keccak256("State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)");
    bytes32 private constant CLOSE_TYPEHASH =
        keccak256("Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)");
    bytes32 private constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)");
    bytes32 private constant OPEN_TYPEHASH =
        keccak256("Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)");
    bytes32 private constant STATEMENT_TYPEHASH = keccak256("Statement(bytes32 machine,uint112 paid)");

    function domainSeparator(string memory name) internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this))
        );
    }

    function channelId(bytes32 domain, Channel calldata channel) internal pure returns (bytes32) {
        return keccak256(abi.encode(domain, channel));
    }

    function machineId(bytes32 domain, Machine calldata machine) internal pure returns (bytes32) {
        return keccak256(abi.encode(domain, machine));
    }

    function stateDigest(bytes32 domain, bytes32 channel, uint48 version, int112 net, bytes32 nanos)
        internal
        pure
        returns (bytes32)
    {
        return typed(domain, keccak256(abi.encode(STATE_TYPEHASH, channel, version, net, nanos)));
    }

    function closeDigest(bytes32 domain, bytes32 channel, int112 net, uint40 validUntil, uint8 toCredit)
        internal
        pure
        returns (bytes32)
    {
        return typed(domain, keccak256(abi.encode(CLOSE_TYPEHASH, channel, net, validUntil, toCredit)));
    }

    function withdrawDigest(
        bytes32 domain,
        bytes32 channel,
        uint32 index,
        uint112 aliceAmount,
        uint112 bobAmount,
        uint40 validUntil
    ) internal pure returns (bytes32) {
        return typed(
            domain,
            keccak256(abi.encode(WITHDRAW_TYPEHASH, channel, index, aliceAmount, bobAmount, validUntil))
        );
    }

    function openDigest(bytes32 domain, bytes32 channel, uint112 aliceAmount, uint112 bobAmount, uint40 validUntil)
        internal
        pure
        returns (bytes32)
    {
        return typed(domain, keccak256(abi.encode(OPEN_TYPEHASH, channel, aliceAmount, bobAmount, validUntil)));
    }

    function statementDigest(bytes32 domain, bytes32 machine, uint112 paid) internal pure returns (bytes32) {
        return typed(domain, keccak256(abi.encode(STATEMENT_TYPEHASH, machine, paid)));
    }

    /// @notice What an EIP-712 signer signs.
    function typed(bytes32 domain, bytes32 structHash) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, hex"1901")
            mstore(add(m, 2), domain)
            mstore(add(m, 34), structHash)
            digest := keccak256(m, 66)
        }
    }
}
