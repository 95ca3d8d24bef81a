// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Typed-data digests (EIP-712); every type string of the contracts stands here
/// @dev Assembly replaces `abi.encode`, which allocates memory that nobody needs again; tests compare every digest
/// with the plain form.
library ChannelHash {
    /// @dev First two bytes of what is hashed for a signature (EIP-712).
    bytes32 private constant PREFIX = hex"1901";

    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant STATE_TYPEHASH = keccak256(
        "State(bytes32 channel,uint48 version,int112 net,bytes32 nanos)"
    );
    bytes32 private constant CLOSE_TYPEHASH = keccak256(
        "Close(bytes32 channel,int112 net,uint40 validUntil,uint8 toCredit)"
    );
    bytes32 private constant WITHDRAW_TYPEHASH = keccak256(
        "Withdraw(bytes32 channel,uint32 index,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
    );
    bytes32 private constant OPEN_TYPEHASH = keccak256(
        "Open(bytes32 channel,uint112 aliceAmount,uint112 bobAmount,uint40 validUntil)"
    );
    bytes32 private constant STATEMENT_TYPEHASH = keccak256("Statement(bytes32 machine,uint112 paid)");

    function domainSeparator(string memory name) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this))
            );
    }

    /// @notice What is signed for a state, and `stateHash` of it: both read the same four words.
    function state(
        bytes32 domain,
        bytes32 channel,
        uint256 version,
        int256 net,
        bytes32 nanos
    ) internal pure returns (bytes32 digest, bytes32 hash) {
        bytes32 typehash = STATE_TYPEHASH;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash)
            mstore(add(m, 32), channel)
            mstore(add(m, 64), version)
            mstore(add(m, 96), net)
            mstore(add(m, 128), nanos)
            hash := keccak256(add(m, 32), 128)
            let structHash := keccak256(m, 160)
            mstore(m, PREFIX)
            mstore(add(m, 2), domain)
            mstore(add(m, 34), structHash)
            digest := keccak256(m, 66)
        }
    }

    function closeDigest(
        bytes32 domain,
        bytes32 channel,
        int256 net,
        uint256 validUntil,
        uint256 toCredit
    ) internal pure returns (bytes32) {
        return _typed(domain, CLOSE_TYPEHASH, channel, uint256(net), validUntil, toCredit);
    }

    function openDigest(
        bytes32 domain,
        bytes32 channel,
        uint256 aliceAmount,
        uint256 bobAmount,
        uint256 validUntil
    ) internal pure returns (bytes32) {
        return _typed(domain, OPEN_TYPEHASH, channel, aliceAmount, bobAmount, validUntil);
    }

    function withdrawDigest(
        bytes32 domain,
        bytes32 channel,
        uint256 index,
        uint256 aliceAmount,
        uint256 bobAmount,
        uint256 validUntil
    ) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(WITHDRAW_TYPEHASH, channel, index, aliceAmount, bobAmount, validUntil)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function statementDigest(bytes32 domain, bytes32 machine, uint256 paid) internal pure returns (bytes32 digest) {
        bytes32 typehash = STATEMENT_TYPEHASH;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash)
            mstore(add(m, 32), machine)
            mstore(add(m, 64), paid)
            let structHash := keccak256(m, 96)
            mstore(m, PREFIX)
            mstore(add(m, 2), domain)
            mstore(add(m, 34), structHash)
            digest := keccak256(m, 66)
        }
    }

    /// @notice `keccak256(abi.encode(id, version, net, nanos))`, which binds a state to its channel.
    function stateHash(bytes32 id, uint256 version, int256 net, bytes32 nanos) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, id)
            mstore(add(m, 32), version)
            mstore(add(m, 64), net)
            mstore(add(m, 96), nanos)
            hash := keccak256(m, 128)
        }
    }

    /// @dev What is signed for a message of a channel and three more words. The struct's hash is written over the
    /// struct, with the EIP-712 prefix and the domain before it.
    function _typed(
        bytes32 domain,
        bytes32 typehash,
        bytes32 channel,
        uint256 a,
        uint256 b,
        uint256 c
    ) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash)
            mstore(add(m, 32), channel)
            mstore(add(m, 64), a)
            mstore(add(m, 96), b)
            mstore(add(m, 128), c)
            let structHash := keccak256(m, 160)
            mstore(m, PREFIX)
            mstore(add(m, 2), domain)
            mstore(add(m, 34), structHash)
            digest := keccak256(m, 66)
        }
    }
}
