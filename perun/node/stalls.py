"""Tells of a turn that does not end: a disk that neither takes nor refuses keeps the whole node,
and what keeps it cannot say so itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from perun.errors import StoreFault

__all__ = ["LONG", "Stalls", "TurnHangs"]

LONG: Final = 10.0
"""Seconds; no turn takes one unless it waits for something."""


@dataclass(eq=False)
class TurnHangs(StoreFault):
    """The node is at one turn and answers nothing, disputes neither."""

    seconds: int

    template: ClassVar[str] = "the node has been at one turn for {seconds} s and answers nothing"
    hint: ClassVar[str] = "see whether its disk answers; if it never does, kill the process"


class Turning(Protocol):
    """A node."""

    @property
    def turning_for(self) -> float:
        """Seconds for which its present turn has lasted; 0: it is at none."""


class Stalls:
    """Of one node; looked at from outside its thread."""

    def __init__(self, node: Turning, tell: Callable[[TurnHangs], None]) -> None:
        """Looks at nothing yet."""
        self._node, self._tell = node, tell
        self._next = LONG

    def look(self) -> None:
        """Tells after ten seconds, twenty, forty, and so on."""
        seconds = self._node.turning_for
        if seconds >= self._next:
            self._next = 2 * seconds
            self._tell(TurnHangs(int(seconds)))
        elif seconds < LONG:
            self._next = LONG
