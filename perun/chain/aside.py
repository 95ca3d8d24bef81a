"""Questions beside the point: nothing urgent may wait for them, or fail with them.

What is dangerous is read from the newest block. Which block is final, what a credit holds, what
builders are tipped: a node may not know it today, refuse it for ever, or take its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from perun.bindings.failures import NodeUnreachable
from perun.chain.reports import Report, Unanswered
from perun.errors import ChainFault

__all__ = ["Aside"]

T = TypeVar("T")

_LONGEST_PAUSE: Final = 16
"""Rounds in which a question is left out that has gone unanswered for long."""


class Aside:
    """Asks what may fail. A kind of question that fails is told once, and asked again."""

    def __init__(self, report: Callable[[Report], None] = lambda _: None) -> None:
        self._report = report
        self._round = 0
        self._waited = False
        self._silent: dict[str, tuple[int, int]] = {}
        """Kinds that got no answer at all: how often in a row, and until which round they rest."""
        self.unanswered: dict[str, ChainFault] = {}
        """What cannot be known at present, by kind of question."""

    def begin(self) -> None:
        """Another round: each may wait in vain once."""
        self._round += 1
        self._waited = False

    def ask(self, what: str, question: Callable[[], T], otherwise: T, *, urgent: bool = False) -> T:
        """The answer; `otherwise` if there is none.

        Args:
            urgent: asked also after another question of this round has waited in vain.
        """
        times, until = self._silent.get(what, (0, 0))
        if (self._waited and not urgent) or self._round < until:
            return otherwise
        try:
            answer = question()
        except ChainFault as fault:
            if what not in self.unanswered:
                self._report(Unanswered(what, str(fault)))
            self.unanswered[what] = fault
            if isinstance(fault, NodeUnreachable):
                self._waited = True
                self._silent[what] = times + 1, self._round + min(2**times, _LONGEST_PAUSE)
            return otherwise
        self._silent.pop(what, None)
        self.unanswered.pop(what, None)
        return answer
