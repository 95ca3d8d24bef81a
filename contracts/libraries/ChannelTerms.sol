// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Channel} from "../types/ChannelTypes.sol";

/// @title A channel's terms, read once: checked, hashed and kept in memory
/// @dev One copy serves the id and the fields: in memory stands `abi.encode(domain, channel)`. A memory struct
/// would be zeroed before it is filled, and a calldata struct is checked again at every read.
library ChannelTerms {
    /// @notice Terms in memory; the value is the memory address of the first field.
    type View is uint256;

    /// @notice The terms and their id, `keccak256(abi.encode(domain, channel))`.
    /// @dev Reverts without data if a word does not fit its type, as decoding does.
    function read(bytes32 domain, Channel calldata channel) internal pure returns (bytes32 id, View terms) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(0x40, add(m, 256))
            mstore(m, domain)
            terms := add(m, 32)
            calldatacopy(terms, channel, 224)
            id := keccak256(m, 256)
            let addresses := or(or(mload(terms), mload(add(m, 64))), or(mload(add(m, 96)), mload(add(m, 128))))
            let rest := or(shr(32, mload(add(m, 192))), shr(64, mload(add(m, 224))))
            if or(shr(160, or(addresses, mload(add(m, 160)))), rest) {
                revert(0, 0)
            }
        }
    }

    function alice(View terms) internal pure returns (address account) {
        assembly ("memory-safe") {
            account := mload(terms)
        }
    }

    function bob(View terms) internal pure returns (address account) {
        assembly ("memory-safe") {
            account := mload(add(terms, 32))
        }
    }

    function aliceKey(View terms) internal pure returns (address key) {
        assembly ("memory-safe") {
            key := mload(add(terms, 64))
        }
    }

    function bobKey(View terms) internal pure returns (address key) {
        assembly ("memory-safe") {
            key := mload(add(terms, 96))
        }
    }

    function asset(View terms) internal pure returns (address token) {
        assembly ("memory-safe") {
            token := mload(add(terms, 128))
        }
    }

    function challenge(View terms) internal pure returns (uint256 duration) {
        assembly ("memory-safe") {
            duration := mload(add(terms, 160))
        }
    }

    /// @notice Logs the terms under `topic`, `id` and both accounts: the event `Opened`.
    function logOpened(View terms, bytes32 topic, bytes32 id) internal {
        assembly ("memory-safe") {
            log4(terms, 224, topic, id, mload(terms), mload(add(terms, 32)))
        }
    }
}
