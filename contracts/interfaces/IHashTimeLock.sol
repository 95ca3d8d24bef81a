// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a hash time lock; their hash is its id (protocol, section 4).
/// @param amount What moves if the preimage is revealed, in the asset's smallest unit; at most `2**111 - 1`.
/// @param bobPays Whether it moves from the instance's Bob to its Alice, else from Alice to Bob.
/// @param hash `keccak256` of the 32 bytes of the preimage.
/// @param deadline Last second at which the preimage may be revealed; also the final time.
/// @param salt Random, so that no id is used twice.
struct Lock {
    uint112 amount;
    bool bobPays;
    bytes32 hash;
    uint40 deadline;
    bytes32 salt;
}

/// @title A payment that happens if a secret is revealed in time
/// @notice `submit` takes `abi.encode(lock, preimage)`. Done at once when revealed; never revealed, never done.
interface IHashTimeLock is INanocontract {
    /// @notice The preimage of an instance is public from now on.
    event Revealed(bytes32 indexed id, bytes32 preimage);

    /// @notice The lock's deadline is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice The hash of the preimage is not the lock's.
    error WrongPreimage(bytes32 expected, bytes32 hash);

    /// @notice The amount exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice Decides the instance; whoever calls. Revealing again changes nothing and does not revert.
    function reveal(Lock calldata lock, bytes32 preimage) external;

    /// @notice The instance's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, lock))`.
    function lockId(Lock calldata lock) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun HashTimeLock", version: "1", chainId, verifyingContract}`),
    /// fixed at deployment; nothing is signed for this contract, it keeps ids of different deployments apart.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
