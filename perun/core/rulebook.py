"""What the core asks about the rules of games: it is given whoever runs their code.

Rules are pure functions of their input, named by the hash of their code (protocol, section 4). So
the answers are as good as a table that never changes, and the core stays without input and output.
"""

from __future__ import annotations

from typing import Protocol

from perun.core.faults import Unknown
from perun.types import Address, Record

__all__ = ["NO_RULES", "Placed", "Rulebook"]


class Placed(Record, frozen=True, gc=False):
    """A position of a game, as the rules make it."""

    position: bytes
    turn: int
    """1 Alice, 2 Bob, 0 finished."""
    result: int = 0
    """Parts of 10**9 of Alice's lock to Bob, or of Bob's to Alice (negative); 0 if not finished."""


class Rulebook(Protocol):
    """The rules that an honest party plays by, each run by its own bytecode."""

    def code_hash(self, rules: Address) -> bytes | None:
        """Hash of the code that stands there; None: these rules are not on our list."""

    def most_moves(self, code_hash: bytes) -> int:
        """Most moves from the beginning to the end, as the rules say themselves."""

    def start(self, code_hash: bytes, setup: bytes) -> Placed:
        """How a game begins. Raises `Misuse` for a setup that the rules refuse."""

    def play(self, code_hash: bytes, position: bytes, turn: int, move: bytes) -> Placed:
        """What a move leads to. Raises `Misuse` for a move that the rules refuse."""


class _NoRules:
    """An empty list."""

    def code_hash(self, rules: Address) -> bytes | None:  # noqa: ARG002
        return None

    def most_moves(self, code_hash: bytes) -> int:
        raise Unknown("rules", code_hash)

    def start(self, code_hash: bytes, setup: bytes) -> Placed:  # noqa: ARG002
        raise Unknown("rules", code_hash)

    def play(self, code_hash: bytes, *_: object) -> Placed:
        raise Unknown("rules", code_hash)


NO_RULES: Rulebook = _NoRules()
"""Of who plays no games: a hub, a tower, whoever leaves with nothing but a store."""
