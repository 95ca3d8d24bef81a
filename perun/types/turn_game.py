"""The game in turns (protocol, section 4)."""

from __future__ import annotations

from typing import NewType

from perun import checks
from perun.types.quantities import (
    Address,
    InstanceId,
    Record,
    Salt,
    Seconds,
    UnixTime,
    Version,
    Wei,
)

__all__ = ["Game", "GameId", "GameRecord", "Move", "Position"]

GameId = NewType("GameId", InstanceId)
"""An instance of the game in turns."""


class Game(Record, frozen=True, gc=False, tag=4):
    """The fixed terms of a game in turns; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs for the instance's Alice."""
    bob: Address
    """Address of the key that signs for its Bob."""
    alice_lock: Wei
    """What Alice can lose."""
    bob_lock: Wei
    """What Bob can lose."""
    rules: Address
    """The rules contract (`IRules`)."""
    rules_hash: bytes
    """Hash of its code."""
    setup: bytes
    """What `IRules.start` is given; 32 bytes."""
    validity: UnixTime
    """Last second at which a first position may be submitted. uint40."""
    challenge: Seconds
    """How long newer positions may replace it; then the clocks run. uint32."""
    alice_bank: Seconds
    """What Alice has for all her moves on chain; uint32."""
    bob_bank: Seconds
    """What Bob has."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.length("rules", self.rules, 20)
        checks.length("rules_hash", self.rules_hash, 32)
        checks.length("setup", self.setup, 32)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.unsigned("alice_bank", self.alice_bank, 32)
        checks.unsigned("bob_bank", self.bob_bank, 32)
        checks.length("salt", self.salt, 32)


class GameRecord(Record, frozen=True, gc=False, tag=4):
    """What the chain has recorded of a game: a position that both signed, or moves made there."""

    version: Version
    turn: int
    """Who moves: 1 Alice, 2 Bob, 0 nobody: it is finished."""
    shift: Wei
    """If finished, what moves from Alice to Bob."""
    live: bool
    """A move was made on chain: nothing that both signed counts any more."""
    start: UnixTime
    """Last second for newer positions; once live, when the last move was made. The clock of the
    side to move runs from here."""
    alice_left: Seconds
    """Of Alice's bank, once live; before, and once it is finished, it means nothing."""
    bob_left: Seconds
    board: bytes = b""
    """The position's bytes, once live; empty if only storage says that it is."""


class Position(Record, frozen=True, gc=False):
    """So far we have played: signed by both keys of a game (section 4)."""

    game: GameId
    version: Version
    """Greater replaces smaller; uint32, of which the contract takes 2**18 - 1."""
    turn: int
    """Who moves: 1 Alice, 2 Bob, 0 nobody: it is finished. uint8."""
    shift: Wei
    """If finished, what moves from Alice to Bob; else it means nothing."""
    position: bytes
    """keccak256 of the position's bytes."""

    def __post_init__(self) -> None:
        checks.length("game", self.game, 32)
        checks.unsigned("version", self.version, 32)
        checks.unsigned("turn", self.turn, 8)
        checks.signed_amount("shift", self.shift)
        checks.length("position", self.position, 32)


class Move(Record, frozen=True, gc=False):
    """My move, to be made on chain: signed by the key of the side to move (section 4)."""

    game: GameId
    version: Version
    """Of the position moved from; uint32."""
    position: bytes
    """keccak256 of the bytes of the position moved from."""
    move: bytes
    """keccak256 of the move's bytes, which are in the rules' encoding."""

    def __post_init__(self) -> None:
        checks.length("game", self.game, 32)
        checks.unsigned("version", self.version, 32)
        checks.length("position", self.position, 32)
        checks.length("move", self.move, 32)
