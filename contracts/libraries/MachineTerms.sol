// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Machine} from "../types/MachineTypes.sol";

/// @title A payment machine's terms, read once: checked, hashed and kept in memory
/// @dev As `ChannelTerms`.
library MachineTerms {
    /// @notice Terms in memory; the value is the memory address of the first field.
    type View is uint256;

    /// @notice The terms and their id, `keccak256(abi.encode(domain, machine))`.
    /// @dev Reverts without data if a word does not fit its type, as decoding does.
    function read(bytes32 domain, Machine calldata machine) internal pure returns (bytes32 id, View terms) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(0x40, add(m, 256))
            mstore(m, domain)
            terms := add(m, 32)
            calldatacopy(terms, machine, 224)
            id := keccak256(m, 256)
            let keys := shr(160, or(mload(terms), mload(add(m, 64))))
            let locks := shr(112, or(mload(add(m, 96)), mload(add(m, 128))))
            let times := or(shr(40, mload(add(m, 160))), shr(32, mload(add(m, 192))))
            if or(or(keys, locks), times) {
                revert(0, 0)
            }
        }
    }

    function alice(View terms) internal pure returns (address key) {
        assembly ("memory-safe") {
            key := mload(terms)
        }
    }

    function bob(View terms) internal pure returns (address key) {
        assembly ("memory-safe") {
            key := mload(add(terms, 32))
        }
    }

    function aliceLock(View terms) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := mload(add(terms, 64))
        }
    }

    function bobLock(View terms) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := mload(add(terms, 96))
        }
    }

    function validity(View terms) internal pure returns (uint256 time) {
        assembly ("memory-safe") {
            time := mload(add(terms, 128))
        }
    }

    function challenge(View terms) internal pure returns (uint256 duration) {
        assembly ("memory-safe") {
            duration := mload(add(terms, 160))
        }
    }

    /// @notice Logs both totals and the deadline under `topic` and `id`: the event `Submitted`.
    /// @dev Assembly replaces `emit`, which cuts each of them to its type once more.
    function logSubmitted(bytes32 topic, bytes32 id, uint256 a, uint256 b, uint256 deadline) internal {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, a)
            mstore(add(m, 32), b)
            mstore(add(m, 64), deadline)
            log2(m, 96, topic, id)
        }
    }
}
