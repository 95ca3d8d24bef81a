// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The fixed terms of a payment machine; their hash is its id (protocol, section 4).
/// @param alice Key that signs the instance's Alice's statements.
/// @param bob Key that signs the instance's Bob's statements; if it is Alice's too, one statement counts for both.
/// @param aliceLock Most that Alice may lose on balance, in the asset's smallest unit; 0: she pays nothing.
/// @param bobLock Most that Bob may lose on balance; 0: he pays nothing.
/// @param validity Last second at which a first statement may be submitted.
/// @param challenge Seconds after the first submission in which totals may still rise.
/// @param salt Hash of random numbers of both ends, so that nobody can prepare an instance.
struct Machine {
    address alice;
    address bob;
    uint112 aliceLock;
    uint112 bobLock;
    uint40 validity;
    uint32 challenge;
    bytes32 salt;
}
