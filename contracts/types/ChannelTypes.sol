// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The fixed terms of a basic channel; their hash is its id (protocol, section 3).
/// @param alice Account that owns Alice's money, is paid out and may send her transactions.
/// @param bob Account that owns Bob's money.
/// @param aliceKey ECDSA key that signs for Alice; may equal `alice`.
/// @param bobKey ECDSA key that signs for Bob; may equal `bob`.
/// @param asset ERC-20 token, or the zero address for ETH.
/// @param challenge Seconds that a dispute stays open to newer states.
/// @param nonce Drawn at random for this channel, so that no id is ever used twice.
struct Channel {
    address alice;
    address bob;
    address aliceKey;
    address bobKey;
    address asset;
    uint32 challenge;
    uint64 nonce;
}

/// @notice A nanocontract instance that holds part of a channel's money (protocol, section 3).
/// @param app The nanocontract.
/// @param id The instance: the hash of all its parameters.
/// @param aliceLock Most that may move from the channel's Alice to the channel's Bob, in the asset's smallest unit.
/// @param bobLock Most that may move the other way.
/// @param expiry Unix time up to which the locks wait for an outcome; an instance that is not done later moves nothing.
/// @param swapped Whether the instance's Alice is the channel's Bob.
struct Nano {
    address app;
    bytes32 id;
    uint112 aliceLock;
    uint112 bobLock;
    uint40 expiry;
    bool swapped;
}

/// @notice One item of `settleMany`: the arguments of `settle`.
struct Settlement {
    Channel channel;
    int112 net;
    Nano[] nanos;
}
