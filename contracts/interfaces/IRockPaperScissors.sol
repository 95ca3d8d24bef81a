// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a game of rock, paper, scissors; their hash is its id (protocol, section 4).
/// @param aliceLock What Alice pays if she loses, in the asset's smallest unit; at most `2**111 - 1`.
/// @param bobLock What Bob pays if he loses.
/// @param aliceCommit `keccak256(abi.encode(false, secret))` of Alice's 32 bytes: random but for the last one, which
/// modulo 3 is her hand: 0 rock, 1 paper, 2 scissors. So every secret is a hand.
/// @param bobCommit `keccak256(abi.encode(true, secret))` of Bob's. The first word says whose it is, so that a copied
/// commitment cannot be opened.
/// @param validity Last second at which a first secret may be revealed.
/// @param window Seconds after it in which the other must follow.
/// @param salt Random, so that no id is used twice.
struct Hands {
    uint112 aliceLock;
    uint112 bobLock;
    bytes32 aliceCommit;
    bytes32 bobCommit;
    uint40 validity;
    uint32 window;
    bytes32 salt;
}

/// @title Rock, paper, scissors between two people who do not trust each other
/// @notice Each has committed to a hand before it sees the other's. Equal hands: nothing moves; else the loser pays its
/// lock. Who reveals first, by `validity`, gives the other `window` seconds; who stays silent then pays its whole lock,
/// the most that speaking could have cost. Nobody reveals: nothing moves. Final time: `validity + window`. Nothing is
/// signed.
///
/// `submit` takes `abi.encode(hands, bob, secret)`.
interface IRockPaperScissors is INanocontract {
    /// @notice A hand is public; `deadline` is the last second at which the other one may follow.
    event Revealed(bytes32 indexed id, bool bob, bytes32 secret, uint40 deadline);

    /// @notice A lock exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice `validity + window` does not fit the 34 bits that store a deadline.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice `validity`, or the other's window, is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice The secret is not the one committed to.
    error WrongSecret(bytes32 expected, bytes32 hash);

    /// @notice Reveals a hand; whoever calls. Revealing again changes nothing and does not revert.
    /// @param bob Whether it is Bob's, else Alice's.
    function reveal(Hands calldata hands, bool bob, bytes32 secret) external;

    /// @notice The game's word, 0 before anything was revealed.
    /// @dev One revealed, from the top: a zero bit, 1 bit whose (1: Bob), 34 bits deadline, 92 zero bits, 16 bits of
    /// its hand, 112 bits lock of the other. Both: the top bit, 143 zero bits, 112 bits shift.
    function record(bytes32 id) external view returns (uint256);

    /// @notice The instance's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, hands))`.
    function handsId(Hands calldata hands) external view returns (bytes32);

    /// @notice EIP-712 domain separator (`{name: "Perun RockPaperScissors", version: "1", chainId, verifyingContract}`),
    /// fixed at deployment; it keeps ids of different deployments apart.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
