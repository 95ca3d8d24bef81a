"""A game of Alice and Bob on the stage's chain: who signs what, and how it is submitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import eth_abi
from eth_hash.auto import keccak

from perun.testing.owners import Owner
from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.stage import HOUR, MOST, Stage

POSITION = "Position(bytes32 game,uint32 version,uint8 turn,int112 shift,bytes32 position)"
MOVE = "Move(bytes32 game,uint32 version,bytes32 position,bytes32 move)"
GAME_TYPE = (
    "(address,address,uint112,uint112,address,bytes32,bytes32,uint40,uint32,uint32,uint32,bytes32)"
)
POSITION_TYPE = "(uint32,uint8,int112,bytes32)"

ALICE, BOB = 1, 2
WHOLE = MOST


class Game(NamedTuple):
    """`ITurnGame.Game`, field by field."""

    alice: bytes
    bob: bytes
    alice_lock: int
    bob_lock: int
    rules: bytes
    rules_hash: bytes
    setup: bytes
    validity: int
    challenge: int
    alice_bank: int
    bob_bank: int
    salt: bytes


class Signed(NamedTuple):
    """A co-signed position."""

    position: tuple[int, int, int, bytes]
    signature_alice: bytes
    signature_bob: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """One game."""

    stage: Stage
    contract: Deployed
    rules: Deployed
    terms: Game

    @property
    def separator(self) -> bytes:
        return plain.domain_separator("Perun TurnGame", self.stage.chain_id, self.contract.address)

    @property
    def id(self) -> bytes:
        return plain.record_id(self.separator, self.terms)

    @property
    def final_time(self) -> int:
        terms = self.terms
        return terms.validity + terms.challenge + terms.alice_bank + terms.bob_bank

    def player(self, turn: int) -> Owner:
        return self.stage.alice if turn == ALICE else self.stage.bob

    # -------------------------------------------------------------- what is signed

    def position_digest(self, position: tuple[int, int, int, bytes]) -> bytes:
        return plain.typed(self.separator, POSITION, self.id, *position)

    def move_digest(self, version: int, position: bytes, move: bytes) -> bytes:
        return plain.typed(self.separator, MOVE, self.id, version, keccak(position), keccak(move))

    def signed(self, version: int, turn: int, position: bytes = b"", shift: int = 0) -> Signed:
        """A position that both have signed."""
        content = (version, turn, shift, keccak(position))
        digest = self.position_digest(content)
        return Signed(content, self.stage.alice.sign(digest), self.stage.bob.sign(digest))

    # -------------------------------------------------------------- what is submitted

    def submit(self, signed: Signed) -> Receipt:
        return self.contract.send(self.stage.carol, "submitPosition", self.terms, *signed)

    def move(
        self, turn: int, version: int, position: bytes, move: bytes, by: Owner | None = None,
        gas: int | None = None,
    ) -> Receipt:  # fmt: skip
        """The move of a side, signed by it or by another, sent by somebody."""
        signature = (by or self.player(turn)).sign(self.move_digest(version, position, move))
        return self.contract.send(
            self.stage.carol, "submitMove", self.terms, position, move, signature, gas=gas
        )

    def evidence(self, signed: Signed) -> bytes:
        """Form 0 of what `submit` takes."""
        arguments = eth_abi.encode(
            [GAME_TYPE, POSITION_TYPE, "bytes", "bytes"], [tuple(self.terms), *signed]
        )
        return plain.word(0) + arguments

    def move_evidence(self, turn: int, version: int, position: bytes, move: bytes) -> bytes:
        """Form 1."""
        signature = self.player(turn).sign(self.move_digest(version, position, move))
        arguments = eth_abi.encode(
            [GAME_TYPE, "bytes", "bytes", "bytes"], [tuple(self.terms), position, move, signature]
        )
        return plain.word(1) + arguments

    def outcome(self) -> Any:
        return self.contract.ask("outcome", self.id)

    def word(self) -> int:
        return int(self.contract.ask("record", self.id))

    def changed(self, **fields: Any) -> Table:
        """The same table with other terms."""
        return replace(self, terms=self.terms._replace(**fields))


def new_table(stage: Stage, rules: str = "TicTacToe", **fields: Any) -> Table:
    """Locks 10 and 20, valid for a day, an hour's challenge, banks of ten and twenty minutes."""
    deployed = stage.deploy(rules)
    code = bytes(stage.web3.eth.get_code(stage.web3.to_checksum_address(deployed.address)))
    terms = Game(
        stage.alice.key.address, stage.bob.key.address, 10, 20, deployed.address, keccak(code),
        bytes(32), stage.now + 24 * HOUR, HOUR, 600, 1200, new_salt(),
    )  # fmt: skip
    return Table(stage, stage.deploy("TurnGame"), deployed, terms._replace(**fields))


EMPTY = bytes(4)
"""The empty board of tic-tac-toe."""


def board(alice: int, bob: int) -> bytes:
    return alice.to_bytes(2, "big") + bob.to_bytes(2, "big")
