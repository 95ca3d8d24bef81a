// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nano} from "../types/ChannelTypes.sol";

/// @title A list of nanocontracts as one memory block that is read, hashed, shortened and logged in place
/// @dev A block is four words of head, the length, and six words per item, as `abi.encode` lays out
/// `(word, word, Nano[], word)`, with the list's data directly behind the head. With the word before the
/// length set to 0x20 the tail of the block is exactly `abi.encode(Nano[])`. This replaces three encodings of the
/// same list (its hash, the event, what remains of it); tests compare hash and events with the plain form.
library NanoList {
    uint256 private constant HEAD = 128;
    uint256 private constant ITEM = 192;

    /// @notice A block in memory; its value is the memory address of its head.
    type Block is uint256;

    /// @notice An item of a block; its value is the memory address of its first field.
    type Item is uint256;

    /// @notice A block with all items of `nanos`, as they stand in calldata; `check` them before trusting them.
    function copy(Nano[] calldata nanos) internal pure returns (Block list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            let size := mul(nanos.length, ITEM)
            let items := add(list, add(HEAD, 32))
            mstore(0x40, add(items, size))
            mstore(add(list, HEAD), nanos.length)
            calldatacopy(items, nanos.offset, size)
        }
    }

    function length(Block list) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            count := mload(add(list, HEAD))
        }
    }

    /// @notice The first item, at `index` 0, and so on; the index is not checked.
    function itemAt(Block list, uint256 index) internal pure returns (Item place) {
        assembly ("memory-safe") {
            place := add(add(list, add(HEAD, 32)), mul(index, ITEM))
        }
    }

    /// @notice Copies `item` to `index`, at or before its own place.
    function put(Block list, uint256 index, Item item) internal pure {
        Item place = itemAt(list, index);
        assembly ("memory-safe") {
            mcopy(place, item, ITEM)
        }
    }

    /// @notice Drops all items from `count` on.
    function shorten(Block list, uint256 count) internal pure {
        assembly ("memory-safe") {
            mstore(add(list, HEAD), count)
        }
    }

    /// @notice Reverts without data if a word does not fit its type, as decoding does.
    function check(Item item) internal pure {
        assembly ("memory-safe") {
            let locks := or(mload(add(item, 64)), mload(add(item, 96)))
            let rest := or(shr(40, mload(add(item, 128))), shr(1, mload(add(item, 160))))
            if or(or(shr(160, mload(item)), shr(112, locks)), rest) {
                revert(0, 0)
            }
        }
    }

    function app(Item item) internal pure returns (address nanocontract) {
        assembly ("memory-safe") {
            nanocontract := mload(item)
        }
    }

    function id(Item item) internal pure returns (bytes32 instance) {
        assembly ("memory-safe") {
            instance := mload(add(item, 32))
        }
    }

    function aliceLock(Item item) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := mload(add(item, 64))
        }
    }

    function bobLock(Item item) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := mload(add(item, 96))
        }
    }

    function expiry(Item item) internal pure returns (uint256 time) {
        assembly ("memory-safe") {
            time := mload(add(item, 128))
        }
    }

    function swapped(Item item) internal pure returns (bool exchanged) {
        assembly ("memory-safe") {
            exchanged := mload(add(item, 160))
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

    /// @notice Logs `(version, net, nanos, deadline)` under `topic` and `channel`: the event `Registered`.
    function logRegistered(
        Block list,
        bytes32 topic,
        bytes32 channel,
        uint256 version,
        int256 net,
        uint256 deadline
    ) internal {
        assembly ("memory-safe") {
            mstore(list, version)
            mstore(add(list, 32), net)
            mstore(add(list, 64), HEAD)
            mstore(add(list, 96), deadline)
            log2(list, add(add(HEAD, 32), mul(mload(add(list, HEAD)), ITEM)), topic, channel)
        }
    }

    /// @notice Logs `(alicePaid, bobPaid, nanos)` under `topic` and `channel`: the event `Settled`.
    function logSettled(Block list, bytes32 topic, bytes32 channel, uint256 alicePaid, uint256 bobPaid) internal {
        assembly ("memory-safe") {
            mstore(add(list, 32), alicePaid)
            mstore(add(list, 64), bobPaid)
            mstore(add(list, 96), 96)
            log2(add(list, 32), add(HEAD, mul(mload(add(list, HEAD)), ITEM)), topic, channel)
        }
    }
}
