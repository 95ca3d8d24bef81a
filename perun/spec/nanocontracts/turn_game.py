"""`TurnGame`: positions that both signed, then moves on chain against two clocks (section 4).

First phase: the first position, by `validity`, may be replaced by newer ones for `challenge`
seconds. Second phase: the side to move moves, within its bank, by rules that are a contract of
their own; whose bank runs out pays its whole lock, and `outcome` needs no transaction for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from perun.crypto import keccak
from perun.encoding import TurnGameDomain, game_id, move_digest, position_digest
from perun.spec import consent
from perun.spec.nanocontract import MAX_TIME, Nanocontract, address_in
from perun.spec.reverts import (
    AmountTooLarge,
    BadTurn,
    BankTooLong,
    FinalTimeTooFar,
    Finished,
    MalformedEvidence,
    NotBegun,
    RulesFailed,
    TooEarly,
    TooLate,
    VersionTooHigh,
    WrongPosition,
    WrongRules,
)
from perun.types import (
    MAX_AMOUNT,
    Address,
    Game,
    GameId,
    Move,
    Position,
    Signature,
)

ALICE, BOB = 1, 2
MAX_BANK = 2**20 - 1
MAX_SIGNED_VERSION = 2**18 - 1
MAX_VERSION = 2**19 - 1
MAX_POSITION, MAX_ANSWER = 4096, 4256
WHOLE_RESULT = 10**9
"""What a result of the rules is a part of."""
TERMS: Final = (
    "(address,address,uint112,uint112,address,bytes32,bytes32,uint40,uint32,uint32,uint32,bytes32)"
)
POSITION: Final = "(uint32,uint8,int112,bytes32)"
WHOLE_LOCK = MAX_AMOUNT
"""`outcome` knows only the id: "the whole lock", which MSContract cuts to the lock."""


class Rules(Protocol):
    """What stands at a rules address."""

    code_hash: bytes

    def play(self, position: bytes, turn: int, move: bytes) -> tuple[bool, bytes]:
        """(success, data that came back) of a static call with all the gas that rules get."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a game."""

    turn: int
    live: bool
    """Whether a move was made on chain; nothing co-signed counts from then on."""
    start: int
    """Last second for newer positions; once live, when the last move was made."""
    version: int
    left: tuple[int, int] = (0, 0)
    """Of both banks, in seconds; zeros once finished."""
    place: int = 0
    """Low 160 bits of the hash of id and position; 0 once finished."""
    shift: int = 0


@dataclass(slots=True)
class TurnGame(Nanocontract):
    rules: dict[Address, Rules] = field(default_factory=dict)

    domain_type: ClassVar = TurnGameDomain

    def submit_position(
        self, game: Game, position: Position, signature_alice: Signature, signature_bob: Signature
    ) -> None:
        """A co-signed position; whoever calls. One that is not newer changes nothing."""
        identity = game_id(self.domain, game)
        old: Record | None = self.records.get(identity)
        if old is not None and (old.live or position.version <= old.version):
            return
        _check_terms(game)
        if position.version > MAX_SIGNED_VERSION:
            raise VersionTooHigh(position.version)
        if position.turn > BOB:
            raise BadTurn(position.turn)
        limit = game.validity if old is None else old.start
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        digest = position_digest(self.domain, position)
        consent.signed(game.alice, digest, signature_alice)
        consent.signed(game.bob, digest, signature_bob)

        start = self.host.now + game.challenge if old is None else old.start
        shift = 0
        if position.turn == 0:
            shift = max(-game.bob_lock, min(game.alice_lock, position.shift))
            record = Record(0, False, start, position.version, shift=shift)
        else:
            left = (game.alice_bank, game.bob_bank)
            place = place_of(identity, position.position)
            record = Record(position.turn, False, start, position.version, left, place)
        self.records[identity] = record
        told = (position.version, position.turn, shift, position.position, start)
        self.emit("PositionSubmitted", identity, *told)

    def submit_move(self, game: Game, position: bytes, move: bytes, signature: Signature) -> None:
        """A move of the side whose clock runs; whoever calls."""
        identity = game_id(self.domain, game)
        old = self._check_move(identity, game, position, move, signature)
        following, turn, result = self._ask(game, position, old.turn, move)
        now, version = self.host.now, old.version + 1
        used = now - old.start
        left = (old.left[0] - used, old.left[1])
        if old.turn == BOB:
            left = (old.left[0], old.left[1] - used)
        shift = share(game, result) if turn == 0 else 0
        if turn == 0:
            record = Record(0, True, now, version, shift=shift)
        else:
            place = place_of(identity, keccak(following))
            record = Record(turn, True, now, version, left, place)
        self.records[identity] = record
        self.emit("Moved", identity, version, turn, shift, following, now, *left)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): as signed, as the rules said, or against who let its bank run out."""
        record: Record | None = self.records.get(identity)
        if record is None:
            return False, 0
        if record.turn == 0:
            done = record.live or self.host.now > record.start
            return done, record.shift if done else 0
        if self.host.now <= record.start + record.left[record.turn - 1]:
            return False, 0
        return True, WHOLE_LOCK if record.turn == ALICE else -WHOLE_LOCK

    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """Reads a word, the form, and the arguments of `submitPosition` (0) or `submitMove` (1)."""
        form, rest = int.from_bytes(evidence[:32], "big"), evidence[32:]
        if form == 0:
            words, position, *signed = decode([TERMS, POSITION, "bytes", "bytes"], rest)
            game = _game(words)
            return game, Position(game_id(self.domain, game), *position), *signed
        if form == 1:
            words, *moved = decode([TERMS, "bytes", "bytes", "bytes"], rest)
            return _game(words), *moved
        raise MalformedEvidence(len(evidence))

    def take(self, evidence: bytes) -> None:
        game, *rest = self.read(evidence)
        if isinstance(rest[0], Position):
            self.submit_position(game, *rest)
        else:
            self.submit_move(game, *rest)

    def about(self, evidence: bytes) -> tuple[GameId, int]:
        game = self.read(evidence)[0]
        return game_id(self.domain, game), game.validity

    def _check_move(
        self, identity: GameId, game: Game, position: bytes, move: bytes, signature: Signature
    ) -> Record:
        old: Record | None = self.records.get(identity)
        now = self.host.now
        if old is None:
            raise NotBegun(identity)
        if old.turn == 0:
            raise Finished(identity)
        if not old.live and now <= old.start:
            raise TooEarly(old.start, now)
        limit = old.start + old.left[old.turn - 1]
        if now > limit:
            raise TooLate(limit, now)
        if place_of(identity, keccak(position)) != old.place:
            raise WrongPosition(identity, keccak(position))
        signed = Move(identity, old.version, keccak(position), keccak(move))  # type: ignore[arg-type]
        mover = game.alice if old.turn == ALICE else game.bob
        consent.signed(mover, move_digest(self.domain, signed), signature)
        if old.version == MAX_VERSION:
            raise VersionTooHigh(MAX_VERSION + 1)
        return old

    def _ask(self, game: Game, position: bytes, turn: int, move: bytes) -> tuple[bytes, int, int]:
        """(next position, next turn, result), as the rules that both agreed on have it."""
        rules = self.rules.get(game.rules)
        found = bytes(32) if rules is None else rules.code_hash
        if rules is None or found != game.rules_hash:
            raise WrongRules(game.rules_hash, found)
        success, answer = rules.play(position, turn, move)
        if not success or len(answer) > MAX_ANSWER:
            raise RulesFailed(len(answer))
        try:
            following, next_turn, result = decode(["bytes", "uint8", "int32"], answer)
        except DecodingError as error:
            raise MalformedEvidence(len(answer)) from error
        if next_turn > BOB or len(following) > MAX_POSITION:
            raise RulesFailed(len(answer))
        return following, next_turn, result


def place_of(identity: GameId, position: bytes) -> int:
    """What is kept of a position: low 160 bits of `keccak256(abi.encode(id, position))`."""
    return int.from_bytes(keccak(identity + position)[12:], "big")


def share(game: Game, result: int) -> int:
    """A result in parts of 10**9 of the loser's lock, rounded towards zero; never above it."""
    part = min(abs(result), WHOLE_RESULT)
    lock = game.alice_lock if result > 0 else game.bob_lock
    amount = lock * part // WHOLE_RESULT
    return amount if result > 0 else -amount


def _game(words: tuple[Any, ...]) -> Game:
    alice, bob, alice_lock, bob_lock, rules, *rest = words
    ends = address_in(alice), address_in(bob)
    return Game(*ends, alice_lock, bob_lock, address_in(rules), *rest)


def _check_terms(game: Game) -> None:
    for lock in (game.alice_lock, game.bob_lock):
        if lock > MAX_AMOUNT:
            raise AmountTooLarge(lock)
    for bank in (game.alice_bank, game.bob_bank):
        if bank > MAX_BANK:
            raise BankTooLong(bank)
    final_time = game.validity + game.challenge + game.alice_bank + game.bob_bank
    if final_time > MAX_TIME:
        raise FinalTimeTooFar(final_time)
