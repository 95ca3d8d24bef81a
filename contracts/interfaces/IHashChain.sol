// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a stream; their hash is its id (protocol, section 4).
/// @param payer Key that signs its hash chains.
/// @param lock The most that can move, in the asset's smallest unit; at most `2**111 - 1`.
/// @param tick What one hash pays.
/// @param bobPays Whether it moves from the instance's Bob to its Alice, else from Alice to Bob.
/// @param validity Last second for the first evidence.
/// @param challenge Seconds after it in which more may be shown.
/// @param salt Random, so that no id is used twice.
struct Stream {
    address payer;
    uint112 lock;
    uint112 tick;
    bool bobPays;
    uint40 validity;
    uint32 challenge;
    bytes32 salt;
}

/// @title Payments of one hash each
/// @notice The payer signs the root of a chain of hashes and what it has paid before it; each further value of that
/// chain, from the root on, pays one tick. `H(value) = keccak256(abi.encode(id, value))`; value number `ticks` is the
/// one that hashed `ticks` times gives the root. When a chain is used up the payer signs the next, with a higher base.
///
/// The first evidence, by `validity`, sets a deadline `challenge` seconds ahead; by it, evidence of a higher total
/// counts. The greatest total moves, never a sum, and never more than the lock. Nobody shows anything: nothing moves.
/// Final time: `validity + challenge`.
///
/// What the payer signs (EIP-712): `Chain(bytes32 stream,uint112 base,bytes32 root)`.
///
/// `submit` takes the encoded arguments of `submitTicks`.
interface IHashChain is INanocontract {
    /// @notice So much moves unless more is shown by `deadline`.
    event TicksSubmitted(bytes32 indexed id, uint112 total, uint40 deadline);

    /// @notice The lock exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice `validity + challenge` does not fit the 34 bits that store a deadline.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice No chain has that many ticks.
    error TooManyTicks(uint256 ticks);

    /// @notice `validity`, or the challenge, is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice The value hashed that many times is not the root.
    error WrongRoot(bytes32 expected, bytes32 hash);

    /// @notice The payer's signature is malformed (`recovered` is zero) or by another key.
    error WrongSigner(address expected, address recovered);

    /// @notice Shows that `base + ticks * tick` was paid, or the whole lock if that is less; whoever calls. A total that
    /// is not above the one known changes nothing and does not revert.
    function submitTicks(
        Stream calldata stream,
        uint112 base,
        bytes32 root,
        uint256 ticks,
        bytes32 value,
        bytes calldata signature
    ) external;

    /// @notice The stream's word, 0 before anything was shown.
    /// @dev From the top: 110 zero bits, 1 bit whether Bob pays, 34 bits deadline, 111 bits total.
    function record(bytes32 id) external view returns (uint256);

    /// @notice The instance's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, stream))`.
    function streamId(Stream calldata stream) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun HashChain", version: "1", chainId, verifyingContract}`), fixed
    /// at deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);

    /// @notice How many ticks a chain has at most: so many hashes one piece of evidence may cost.
    function MOST_TICKS() external view returns (uint256);
}
