// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INanocontract} from "./INanocontract.sol";

/// @notice The fixed terms of a game in turns; their hash is its id (protocol, section 4).
/// @param alice Alice's key.
/// @param bob Bob's key.
/// @param aliceLock What Alice can lose, in the asset's smallest unit; at most `2**111 - 1`.
/// @param bobLock What Bob can lose.
/// @param rules The rules contract (`IRules`).
/// @param rulesHash Hash of its code.
/// @param setup What `IRules.start` is given.
/// @param validity Last second at which a first position may be submitted.
/// @param challenge Seconds after it in which a newer position may replace it; then the clocks run.
/// @param aliceBank Seconds that Alice has for all her moves on chain; at most `2**20 - 1`.
/// @param bobBank Bob's seconds.
/// @param salt Random, so that no id is used twice.
struct Game {
    address alice;
    address bob;
    uint112 aliceLock;
    uint112 bobLock;
    address rules;
    bytes32 rulesHash;
    bytes32 setup;
    uint40 validity;
    uint32 challenge;
    uint32 aliceBank;
    uint32 bobBank;
    bytes32 salt;
}

/// @notice What both players sign while they play off chain.
/// @param version Greater replaces smaller; at most `2**18 - 1`.
/// @param turn Who moves: 1 Alice, 2 Bob; 0 finished.
/// @param shift If finished, what moves from Alice to Bob (negative: the other way), cut to the locks; else ignored.
/// @param position `keccak256` of the position's bytes.
struct Position {
    uint32 version;
    uint8 turn;
    int112 shift;
    bytes32 position;
}

/// @title Games in turns: co-signed positions, then moves against two clocks
/// @notice As long as nobody submits a position, nothing moves. The first one, by `validity`, may be replaced by newer
/// ones for `challenge` seconds. From then on the side to move must move on chain, in the time that is left of its
/// bank; who lets it run out loses its whole lock, without a transaction. Final time: `validity + challenge +
/// aliceBank + bobBank`, whatever the number of moves.
///
/// Typed data (EIP-712), domain `{name: "Perun TurnGame", version: "1", chainId, verifyingContract}`:
/// - `Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)`, both keys, the same digest
/// - `Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)`, the mover's key; version and position (a hash)
///   are those moved from, `move` is the hash of the move's bytes
///
/// `submit` takes one word, the form, followed by the encoded arguments of `submitPosition` (form 0) or of
/// `submitMove` (form 1). Moves are meant for transactions of their own: `MSContract.register` gives evidence less gas
/// than a move may need.
///
/// What is trusted: that the rules are pure is checked by the players before they sign, not here. Impure or broken
/// rules hurt only who signed a game with them: their answer is stored once, so every channel sees one outcome.
interface ITurnGame is INanocontract {
    /// @notice A co-signed position stands; `deadline` is the last second at which a newer one may replace it, and for
    /// an unfinished game the moment from which the clock of the side to move runs.
    event PositionSubmitted(
        bytes32 indexed id,
        uint32 version,
        uint8 turn,
        int112 shift,
        bytes32 position,
        uint40 deadline
    );

    /// @notice A move was made on chain; the new position in full, from when the next clock runs, and what both have
    /// left of their banks, in seconds.
    event Moved(
        bytes32 indexed id,
        uint32 version,
        uint8 turn,
        int112 shift,
        bytes position,
        uint40 clockFrom,
        uint32 aliceLeft,
        uint32 bobLeft
    );

    /// @notice A lock exceeds `2**111 - 1`.
    error AmountTooLarge(uint256 amount);

    /// @notice The final time does not fit the 34 bits that store times.
    error FinalTimeTooFar(uint256 finalTime);

    /// @notice A bank exceeds `2**20 - 1` seconds.
    error BankTooLong(uint256 bank);

    /// @notice `validity`, the challenge, or the clock of the side to move is over.
    error TooLate(uint256 limit, uint256 timestamp);

    /// @notice Newer positions may still come; moves count from the second after `limit`.
    error TooEarly(uint256 limit, uint256 timestamp);

    /// @notice A co-signed version exceeds `2**18 - 1`, or a game has had all the moves that can be counted.
    error VersionTooHigh(uint256 version);

    /// @notice Neither 0, 1 nor 2.
    error BadTurn(uint256 turn);

    /// @notice A signature is malformed (`recovered` is zero) or by another key.
    error WrongSigner(address expected, address recovered);

    /// @notice Nobody has submitted a position of this game.
    error NotBegun(bytes32 id);

    /// @notice The game is over: no move counts.
    error Finished(bytes32 id);

    /// @notice The move was made from another position than the one that stands.
    error WrongPosition(bytes32 id, bytes32 position);

    /// @notice The code at the rules' address is not the one agreed on.
    error WrongRules(bytes32 expected, bytes32 found);

    /// @notice The rules refused the move, ran out of gas, or answered nonsense; `size` bytes came back.
    error RulesFailed(uint256 size);

    /// @notice Evidence for `submit` of an unknown form.
    error UnknownForm(uint256 form);

    /// @notice Brings a co-signed position; whoever calls.
    /// @dev One that is not newer than what stands, or comes when moves were made already, changes nothing and does
    /// not revert.
    function submitPosition(
        Game calldata game,
        Position calldata position,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external;

    /// @notice Makes a move from the position that stands; whoever calls, signed by the side to move.
    /// @dev Takes at most `RULES_GAS` for the rules, and about 60,000 gas besides.
    /// @param position The bytes of the position that stands.
    /// @param move The move, in the rules' encoding.
    function submitMove(
        Game calldata game,
        bytes calldata position,
        bytes calldata move,
        bytes calldata signature
    ) external;

    /// @notice The game's word, 0 before anything was submitted.
    /// @dev Unfinished, from the top: 2 bits turn, 1 bit live (a move was made), 34 bits clock start, 19 bits version,
    /// 20 bits each of Alice's and Bob's bank, 160 bits place: the low bits of `keccak256(abi.encode(id, position))`.
    /// Finished: turn 0, live, clock start, version, 88 zero bits, 112 bits shift.
    function record(bytes32 id) external view returns (uint256);

    /// @notice The game's id: `keccak256(abi.encode(DOMAIN_SEPARATOR, game))`.
    function gameId(Game calldata game) external view returns (bytes32);

    /// @notice The most gas that a move's rules are given.
    function RULES_GAS() external view returns (uint256);

    /// @notice EIP-712 domain separator, fixed at deployment.
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
