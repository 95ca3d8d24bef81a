"""`TurnGame` and its model after random calls: the same refusals, events, records, outcomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from msgspec.structs import replace

from perun.crypto import keccak, sign
from perun.encoding import (
    game_id,
    move_digest,
    move_evidence,
    position_digest,
    position_evidence,
    turn_game_domain,
)
from perun.spec.nanocontracts.turn_game import WHOLE_LOCK, TurnGame
from perun.types import (
    Address,
    ChainId,
    Game,
    GameId,
    Move,
    Position,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)
from tests.games.stateful.beside import SENDER, Beside, played
from tests.games.stateful.cast import CROOKS, HONEST
from tests.games.stateful.codec import Codec, artifacts
from tests.games.stateful.evm import CHAIN_ID, Revm

ALICE, BOB = HONEST[:2]
EMPTY = bytes(4)
RULES_GAS = 3_000_000


@dataclass(slots=True)
class DeployedRules:
    """The rules' very bytecode, for the model: a rule is written once."""

    chain: Revm
    address: Address
    codec: Codec
    code_hash: bytes

    def play(self, position: bytes, turn: int, move: bytes) -> tuple[bool, bytes]:
        data = self.codec.call("play", (position, turn, move))
        result = self.chain.call(SENDER, self.address, data, 0, RULES_GAS)
        return result.success, result.output


@dataclass(slots=True)
class Known:
    """A game, and what its players remember of it."""

    game: Game
    id: GameId
    positions: list[bytes] = field(default_factory=lambda: [EMPTY])
    """Every position that may stand on the chain."""


class Games:
    """A few games of tic-tac-toe, and some by rules that answer nonsense."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Beside("TurnGame")
        domain = turn_game_domain(ChainId(CHAIN_ID), self.both.address)
        self.model = TurnGame(self.both.host, domain)
        self.rules = [self._deploy(name) for name in ("TicTacToe", "StrangeRules")]
        self.model.rules = {rules.address: rules for rules in self.rules}
        self.decided: dict[GameId, tuple[bool, int]] = {}

    def play(self) -> None:
        games = [self._new() for _ in range(3)]
        for _ in range(40):
            self.both.wait(self.rng.choice((0, 0, 0, 1, 1, 3)))
            known = self.rng.choice(games)
            if self._wants_move(known):
                self._move(known)
            else:
                self._position(known)
            for one in games:
                self._compare(one)
        self.both.wait(500)
        for one in games:
            self._compare(one)

    def _deploy(self, name: str) -> DeployedRules:
        address = self.both.deploy(name)
        artifact = artifacts()[name]
        code = bytes.fromhex(artifact["bytecode_runtime"].removeprefix("0x"))
        return DeployedRules(self.both.chain, address, Codec(artifact["abi"]), keccak(code))

    def _new(self) -> Known:
        rng = self.rng
        rules = rng.choice((self.rules[0], self.rules[0], self.rules[1]))
        game = Game(
            ALICE.address,
            BOB.address,
            Wei(rng.choice((0, 7, 10**18, 2**111 - 1))),
            Wei(rng.randint(0, 100)),
            rules.address,
            rules.code_hash if rng.random() < 0.95 else bytes(32),
            bytes(32),
            UnixTime(2**34 - 30 if rng.random() < 0.05 else self.both.now + rng.randint(0, 12)),
            Seconds(rng.choice((0, 2, 6))),
            Seconds(2**20 if rng.random() < 0.05 else rng.choice((0, 8, 20))),
            Seconds(rng.choice((3, 20))),
            Salt(rng.randbytes(32)),
        )
        return Known(game, game_id(self.model.domain, game))

    def _wants_move(self, known: Known) -> bool:
        record = self.model.records.get(known.id)
        begun = record is not None and record.turn != 0 and self.both.now > record.start
        return self.rng.random() < (0.85 if begun else 0.1)

    def _position(self, known: Known) -> None:
        """Co-signed, as a rule: also an old one, an absurd one, one signed by a stranger."""
        rng = self.rng
        strange = known.game.rules == self.rules[1].address
        content = bytes([rng.randint(0, 8)]) * 4 if strange else EMPTY
        known.positions.append(content)
        position = Position(
            known.id,
            Version(rng.choice((0, 1, 2, 3, 4, 2**18 - 1, 2**18))),
            rng.choice((0, 1, 1, 2, 2, 2, 3)),
            Wei(rng.choice((0, 5, -5, 2**111 - 1, 1 - 2**111))),
            keccak(content),
        )
        digest = position_digest(self.model.domain, position)
        keys = [ALICE, BOB] if rng.random() < 0.95 else [BOB, CROOKS[1]]
        signatures = [Signature(sign(digest, key)) for key in keys]
        args: tuple[object, ...] = (
            known.game,
            (position.version, position.turn, position.shift, position.position),
            *signatures,
        )
        function = "submitPosition"
        if rng.random() < 0.4:
            function, args = "submit", (position_evidence(known.game, position, *signatures),)
        self.both.perform(
            function, args, lambda: self.model.submit_position(known.game, position, *signatures)
        )

    def _move(self, known: Known) -> None:
        """From the position that stands, as a rule, by the side to move, as a rule."""
        rng, record = self.rng, self.model.records.get(known.id)
        version, turn = (record.version, record.turn) if record else (0, 1)
        position = self._standing(known) if rng.random() < 0.95 else b"elsewhere"
        strange = known.game.rules == self.rules[1].address
        move = bytes([rng.choice((*range(9), 9, 255))])
        if strange:
            move = rng.choice((5, -(10**9), 10**9 + 1, -(2**31))).to_bytes(4, "big", signed=True)
        key = ALICE if (turn == 1) == (rng.random() < 0.95) else BOB
        signed = Move(known.id, Version(version), keccak(position), keccak(move))
        signature = Signature(sign(move_digest(self.model.domain, signed), key))
        args: tuple[object, ...] = (known.game, position, move, signature)
        function = "submitMove"
        if rng.random() < 0.3:
            function, args = "submit", (move_evidence(known.game, position, move, signature),)
        start = len(self.both.host.log)
        self.both.perform(
            function,
            args,
            lambda: self.model.submit_move(known.game, position, move, signature),
        )
        for event in self.both.host.log[start:]:
            known.positions.append(event.args[4])  # type: ignore[arg-type]

    def _standing(self, known: Known) -> bytes:
        record = self.model.records.get(known.id)
        for position in reversed(known.positions):
            place = int.from_bytes(keccak(known.id + keccak(position))[12:], "big")
            if record is not None and place == record.place:
                return position
        return EMPTY

    def _compare(self, known: Known) -> None:
        identity, game = known.id, known.game
        assert self.both.view("gameId", game) == (identity,)
        outcome = self.model.outcome(identity)
        assert self.both.view("outcome", identity) == outcome
        record = self.model.records.get(identity)
        expected = 0
        if record is not None:
            expected = record.turn << 254 | record.live << 253 | record.start << 219
            expected |= record.version << 200 | record.shift % 2**112
            expected |= record.left[0] << 180 | record.left[1] << 160 | record.place
        assert self.both.view("record", identity) == (expected,)
        final_time = game.validity + game.challenge + game.alice_bank + game.bob_bank
        if outcome[0]:  # once done it never changes, and never later than the final time
            assert self.decided.setdefault(identity, outcome) == outcome
            whole = abs(outcome[1]) == WHOLE_LOCK
            assert whole or -game.bob_lock <= outcome[1] <= game.alice_lock
        else:
            assert record is None or self.both.now <= final_time


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    def finished(games: Games) -> Counter[str]:
        ended = [one for one in games.model.records.values() if one.live and one.turn == 0]
        return Counter({"finished on chain": len(ended)})

    return played(Games, finished)


@pytest.mark.parametrize(
    "what",
    [
        "submitPosition", "submitMove", "submit", "changed nothing", "done", "finished on chain",
        "TooLate", "TooEarly", "FinalTimeTooFar", "BankTooLong", "VersionTooHigh", "BadTurn",
        "WrongSigner", "NotBegun", "Finished", "WrongPosition", "WrongRules", "RulesFailed",
        "unnamed",
    ],
)  # fmt: skip
def test_contract_and_model_agree_and_everything_happened(seen: Counter[str], what: str) -> None:
    assert seen[what] > 0


def test_malformed_signature_is_nobodys() -> None:
    """A zero key recovers from no signature, whoever is named in the terms."""
    games = Games(1)
    known = games._new()
    game = replace(known.game, alice=Address(bytes(20)))
    identity = game_id(games.model.domain, game)
    position = Position(identity, Version(1), 1, Wei(0), keccak(EMPTY))
    bad = Signature(bytes(65))
    good = Signature(sign(position_digest(games.model.domain, position), BOB))
    args = (game, (1, 1, 0, keccak(EMPTY)), bad, good)
    assert not games.both.perform(
        "submitPosition", args, lambda: games.model.submit_position(game, position, bad, good)
    )
    assert games.both.seen["WrongSigner"] == 1
