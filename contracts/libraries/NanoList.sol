// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nano} from "../types/ChannelTypes.sol";

/// @title Lists of nanocontracts as one memory block that is hashed and logged without copying
/// @dev A block is four words of head, the length, and six words per item, as `abi.encode` lays out
/// `(word, word, Nano[], word)`, with the list's data directly behind the head. With the word before the
/// length set to 0x20 the tail of the block is exactly `abi.encode(Nano[])`. This replaces three encodings of the
/// same list (its hash, the event, the remaining list); tests compare hash and event with the plain form.
library NanoList {
    uint256 private constant HEAD = 128;
    uint256 private constant ITEM = 192;

    /// @notice A block in memory; its value is the memory address of its head.
    type Block is uint256;

    /// @notice An empty block with room for `capacity` items behind the free memory pointer.
    function allocate(uint256 capacity) internal pure returns (Block list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            mstore(0x40, add(list, add(add(HEAD, 32), mul(capacity, ITEM))))
            mstore(add(list, HEAD), 0)
        }
    }

    /// @notice A block with all items of `nanos`, as they stand in calldata.
    function copy(Nano[] calldata nanos) internal pure returns (Block list) {
        list = allocate(nanos.length);
        assembly ("memory-safe") {
            mstore(add(list, HEAD), nanos.length)
            calldatacopy(add(list, add(HEAD, 32)), nanos.offset, mul(nanos.length, ITEM))
        }
    }

    /// @notice Appends one item; the block has room for it.
    function push(Block list, Nano calldata nano) internal pure {
        assembly ("memory-safe") {
            let count := mload(add(list, HEAD))
            calldatacopy(add(list, add(add(HEAD, 32), mul(count, ITEM))), nano, ITEM)
            mstore(add(list, HEAD), add(count, 1))
        }
    }

    function length(Block list) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := mload(add(list, HEAD))
        }
    }

    /// @notice 0 for an empty list, else `keccak256(abi.encode(nanos))`.
    function hash(Block list) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let count := mload(add(list, HEAD))
            if count {
                mstore(add(list, sub(HEAD, 32)), 0x20)
                result := keccak256(add(list, sub(HEAD, 32)), add(64, mul(count, ITEM)))
            }
        }
    }

    /// @notice Logs `(version, net, nanos, deadline)` under `topic` and `id`: the event `Registered`.
    function logRegistered(Block list, bytes32 topic, bytes32 id, uint256 version, int256 net, uint256 deadline)
        internal
    {
        assembly ("memory-safe") {
            mstore(list, version)
            mstore(add(list, 32), net)
            mstore(add(list, 64), HEAD)
            mstore(add(list, 96), deadline)
            log2(list, add(add(HEAD, 32), mul(mload(add(list, HEAD)), ITEM)), topic, id)
        }
    }

    /// @notice Logs `(alicePaid, bobPaid, nanos)` under `topic` and `id`: the event `Settled`.
    function logSettled(Block list, bytes32 topic, bytes32 id, uint256 alicePaid, uint256 bobPaid) internal {
        assembly ("memory-safe") {
            mstore(add(list, 32), alicePaid)
            mstore(add(list, 64), bobPaid)
            mstore(add(list, 96), 96)
            log2(add(list, 32), add(HEAD, mul(mload(add(list, HEAD)), ITEM)), topic, id)
        }
    }
}
