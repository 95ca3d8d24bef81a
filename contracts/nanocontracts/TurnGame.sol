// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LibSignatures} from "../LibSignatures.sol";
import {INanocontract} from "../interfaces/INanocontract.sol";
import {IRules} from "../interfaces/IRules.sol";
import {Game, ITurnGame, Position} from "../interfaces/ITurnGame.sol";
import {ChannelHash} from "../libraries/ChannelHash.sol";
import {GameRecord} from "../libraries/GameRecord.sol";

/// @title TurnGame
/// @notice See `ITurnGame`; the protocol is docs/protocol.md, section 4.
contract TurnGame is ITurnGame {
    using GameRecord for uint256;

    uint256 private constant AMOUNT_LIMIT = (1 << 111) - 1;
    uint256 private constant TIME_LIMIT = (1 << 34) - 1;
    uint256 private constant BANK_LIMIT = (1 << 20) - 1;
    uint256 private constant SIGNED_VERSION_LIMIT = (1 << 18) - 1;
    uint256 private constant VERSION_LIMIT = (1 << 19) - 1;

    /// @dev What a result is a part of.
    int256 private constant WHOLE = 1e9;

    uint256 private constant POSITION_LIMIT = 4096;

    /// @dev A longest position with the five words that an answer of `play` has around it.
    uint256 private constant ANSWER_LIMIT = 4256;

    bytes32 private constant POSITION_TYPEHASH = keccak256(
        "Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)"
    );
    bytes32 private constant MOVE_TYPEHASH = keccak256(
        "Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)"
    );

    /// @inheritdoc ITurnGame
    uint256 public constant RULES_GAS = 3_000_000;

    /// @inheritdoc ITurnGame
    bytes32 public immutable DOMAIN_SEPARATOR = ChannelHash.domainSeparator("Perun TurnGame");

    /// @inheritdoc ITurnGame
    mapping(bytes32 id => uint256) public record;

    /// @inheritdoc ITurnGame
    function submitPosition(
        Game calldata game,
        Position calldata position,
        bytes calldata signatureAlice,
        bytes calldata signatureBob
    ) external {
        bytes32 id = _id(game);
        uint256 old = record[id];
        // Once a move was made on chain nothing co-signed counts: its holder would choose after seeing the move.
        if (old.live() || (old != 0 && position.version <= old.version())) return;
        _checkTerms(game);
        if (position.version > SIGNED_VERSION_LIMIT) revert VersionTooHigh(position.version);
        if (position.turn > GameRecord.BOB) revert BadTurn(position.turn);
        uint256 limit = old == 0 ? game.validity : old.start();
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        bytes32 digest = _typed(
            keccak256(
                abi.encode(POSITION_TYPEHASH, id, position.version, position.turn, position.shift, position.position)
            )
        );
        _checkSigner(game.alice, digest, signatureAlice);
        _checkSigner(game.bob, digest, signatureBob);

        uint256 start = old == 0 ? block.timestamp + game.challenge : old.start();
        int256 shift = position.turn == 0 ? _cut(position.shift, game) : int256(0);
        record[id] =
            position.turn == 0
                ? GameRecord.finished(false, start, position.version, shift)
                : GameRecord.running(
                    position.turn,
                    false,
                    start,
                    position.version,
                    game.aliceBank,
                    game.bobBank,
                    GameRecord.place(id, position.position)
                );
        emit PositionSubmitted(id, position.version, position.turn, int112(shift), position.position, uint40(start));
    }

    /// @inheritdoc ITurnGame
    function submitMove(
        Game calldata game,
        bytes calldata position,
        bytes calldata move,
        bytes calldata signature
    ) external {
        bytes32 id = _id(game);
        uint256 old = record[id];
        _checkMove(game, id, old, position, move, signature);
        (bytes memory next, uint256 turn, int256 result) = _play(game, old.turn(), position, move);
        _store(game, id, old, next, turn, result);
    }

    /// @inheritdoc INanocontract
    function submit(bytes calldata evidence) external {
        uint256 form = uint256(bytes32(evidence));
        if (form > 1) revert UnknownForm(form);
        bytes4 entry = form == 0 ? this.submitPosition.selector : this.submitMove.selector;
        // Nothing here depends on who calls, so evidence is a call to ourselves: decoded by one rule, at one place.
        (bool success, bytes memory answer) = address(this).call(bytes.concat(entry, evidence[32:]));
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @inheritdoc INanocontract
    function outcome(bytes32 id) external view returns (bool done, int112 shift) {
        return record[id].outcome(block.timestamp);
    }

    /// @inheritdoc ITurnGame
    function gameId(Game calldata game) external view returns (bytes32) {
        return _id(game);
    }

    /// @dev Everything about a move that does not need the rules.
    function _checkMove(
        Game calldata game,
        bytes32 id,
        uint256 old,
        bytes calldata position,
        bytes calldata move,
        bytes calldata signature
    ) private view {
        if (old == 0) revert NotBegun(id);
        uint256 turn = old.turn();
        if (turn == 0) revert Finished(id);
        uint256 start = old.start();
        // The first move comes after the last second of newer positions; later ones may share a second.
        if (!old.live() && block.timestamp <= start) revert TooEarly(start, block.timestamp);
        uint256 limit = start + old.left(turn);
        if (block.timestamp > limit) revert TooLate(limit, block.timestamp);
        bytes32 from = keccak256(position);
        if (GameRecord.place(id, from) != old.place()) revert WrongPosition(id, from);
        bytes32 digest = _typed(keccak256(abi.encode(MOVE_TYPEHASH, id, old.version(), from, keccak256(move))));
        _checkSigner(turn == GameRecord.ALICE ? game.alice : game.bob, digest, signature);
        if (old.version() == VERSION_LIMIT) revert VersionTooHigh(VERSION_LIMIT + 1);
    }

    /// @dev Asks the rules. Less gas than `RULES_GAS` can only make this revert: admitted rules cannot see their gas.
    function _play(
        Game calldata game,
        uint256 turn,
        bytes calldata position,
        bytes calldata move
    ) private view returns (bytes memory next, uint256 nextTurn, int256 result) {
        address rules = game.rules;
        if (rules.codehash != game.rulesHash) revert WrongRules(game.rulesHash, rules.codehash);
        bytes memory request = abi.encodeCall(IRules.play, (position, uint8(turn), move));
        bytes memory answer;
        uint256 size;
        bool success;
        assembly ("memory-safe") {
            success := staticcall(RULES_GAS, rules, add(request, 32), mload(request), 0, 0)
            size := returndatasize()
            // A refusal's reason is short; what is longer than a position can be is not even copied.
            if iszero(gt(size, ANSWER_LIMIT)) {
                answer := mload(0x40)
                mstore(0x40, add(answer, and(add(size, 63), not(31))))
                mstore(answer, size)
                returndatacopy(add(answer, 32), 0, size)
            }
        }
        if (!success || size > ANSWER_LIMIT) revert RulesFailed(size);
        uint8 side;
        int32 parts;
        (next, side, parts) = abi.decode(answer, (bytes, uint8, int32));
        if (side > GameRecord.BOB || next.length > POSITION_LIMIT) revert RulesFailed(size);
        return (next, side, parts);
    }

    /// @dev The clock of the side that moved stops, the other's starts.
    function _store(
        Game calldata game,
        bytes32 id,
        uint256 old,
        bytes memory next,
        uint256 turn,
        int256 result
    ) private {
        (uint256 aliceLeft, uint256 bobLeft) = old.banksAfterMove(block.timestamp);
        uint256 version = old.version() + 1;
        int256 shift = turn == 0 ? _share(result, game) : int256(0);
        record[id] =
            turn == 0
                ? GameRecord.finished(true, block.timestamp, version, shift)
                : GameRecord.running(
                    turn,
                    true,
                    block.timestamp,
                    version,
                    aliceLeft,
                    bobLeft,
                    GameRecord.place(id, keccak256(next))
                );
        emit Moved(
            id,
            uint32(version),
            uint8(turn),
            int112(shift),
            next,
            uint40(block.timestamp),
            uint32(aliceLeft),
            uint32(bobLeft)
        );
    }

    /// @dev Terms that the words cannot hold are refused by the first submission, so such a game is never done.
    function _checkTerms(Game calldata game) private pure {
        if (game.aliceLock > AMOUNT_LIMIT) revert AmountTooLarge(game.aliceLock);
        if (game.bobLock > AMOUNT_LIMIT) revert AmountTooLarge(game.bobLock);
        if (game.aliceBank > BANK_LIMIT) revert BankTooLong(game.aliceBank);
        if (game.bobBank > BANK_LIMIT) revert BankTooLong(game.bobBank);
        uint256 finalTime = uint256(game.validity) + game.challenge + game.aliceBank + game.bobBank;
        if (finalTime > TIME_LIMIT) revert FinalTimeTooFar(finalTime);
    }

    function _checkSigner(address signer, bytes32 digest, bytes calldata signature) private view {
        address recovered = LibSignatures.signerOf(digest, signature);
        if (!LibSignatures.isSigner(recovered, signer)) revert WrongSigner(signer, recovered);
    }

    /// @dev `shift`, cut to the locks: a payout above the stakes cannot be expressed.
    function _cut(int256 shift, Game calldata game) private pure returns (int256) {
        int256 most = int256(uint256(game.aliceLock));
        int256 least = -int256(uint256(game.bobLock));
        return
            shift > most
                ? most
                : shift < least
                    ? least
                    : shift;
    }

    /// @dev A result in parts of the loser's lock, rounded towards zero.
    function _share(int256 result, Game calldata game) private pure returns (int256) {
        if (result > WHOLE) result = WHOLE;
        if (result < -WHOLE) result = -WHOLE;
        uint256 lock = result > 0 ? game.aliceLock : game.bobLock;
        return (int256(lock) * result) / WHOLE;
    }

    function _typed(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }

    function _id(Game calldata game) private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_SEPARATOR, game));
    }
}
