"""The rules that a node plays by: their code from the chain, judged and run here.

It is what `perun.core` asks: see `perun.core.rulebook.Rulebook`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from perun.core.faults import Unknown
from perun.core.rulebook import Placed
from perun.referee.evm import Run
from perun.referee.play import Board, Referee
from perun.types import Address

__all__ = ["CodeBook"]

_KEPT: Final = 4_096
"""Answers that are remembered: a position is asked for again whenever something is said again."""


class CodeBook:
    """Rules by the hash of their code, and where it stands."""

    def __init__(self, codes: Mapping[Address, bytes], run: Run) -> None:
        """Args:
            codes: what stands at each rules contract's address, read from the chain.
            run: an EVM; `perun.referee.here.run` is the best of this process.

        Raises:
            NotAdmitted: some code is not pure.
            RulesRefused: it does not say its limits: it is no rules contract.
        """
        self._referees: dict[bytes, Referee] = {}
        self._places: dict[Address, bytes] = {}
        self._moves: dict[bytes, int] = {}
        self._run = run
        for place, code in codes.items():
            self.add(place, code)
        self._play = lru_cache(_KEPT)(self._played)

    def add(self, place: Address, code: bytes) -> None:
        """More rules, which others may ask for from the same moment on.

        Raises:
            NotAdmitted, RulesRefused: as when the book was made; it is as before then.
        """
        referee = Referee(code, self._run)
        moves = referee.limits().moves
        self._moves[referee.code_hash] = moves
        self._referees[referee.code_hash] = referee
        self._places[place] = referee.code_hash

    def code_hash(self, rules: Address) -> bytes | None:
        """See `Rulebook`."""
        return self._places.get(rules)

    def most_moves(self, code_hash: bytes) -> int:
        """See `Rulebook`."""
        self._referee(code_hash)
        return self._moves[code_hash]

    def start(self, code_hash: bytes, setup: bytes) -> Placed:
        """See `Rulebook`."""
        board = self._referee(code_hash).start(setup)
        return Placed(board.position, board.turn)

    def play(self, code_hash: bytes, position: bytes, turn: int, move: bytes) -> Placed:
        """See `Rulebook`."""
        return self._play(code_hash, position, turn, move)

    def _played(self, code_hash: bytes, position: bytes, turn: int, move: bytes) -> Placed:
        played = self._referee(code_hash).play(Board(position, turn), move)
        return Placed(played.position, played.turn, played.result)

    def _referee(self, code_hash: bytes) -> Referee:
        referee = self._referees.get(code_hash)
        if referee is None:
            raise Unknown("rules", code_hash)
        return referee
