"""What a view of a game must say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from perun.errors import Misuse
from perun.types import Record

__all__ = ["BadMove", "Cell", "Grid", "View"]


@dataclass(eq=False)
class BadMove(Misuse):
    """What was typed is no move in this game's notation."""

    typed: str
    how: str

    template: ClassVar[str] = "{typed!r} is no move: it is {how}"
    hint: ClassVar[str] = "type another one"


class Cell(Record, frozen=True):
    """A place on a board that one can click."""

    name: str
    """What players call it: `e4`."""
    text: str = ""
    """What stands there; empty: nothing."""
    owner: int = 0
    """Whose that is: 1 Alice's, 2 Bob's, 0 nobody's."""
    types: str = ""
    """What a click on it types; empty: nothing can be done there."""
    ends: tuple[str, ...] = ()
    """What may follow a move that begins here and ends in the last row: one of these is chosen."""


class Grid(Record, frozen=True):
    """A board as a screen shows it; row by row from the upper left corner."""

    columns: int
    cells: tuple[Cell, ...]
    clicks: int = 1
    """How many cells make a move: what they type, one after the other, is what people type."""
    checkered: bool = False


class View(ABC):
    """Of the rules contract of one name."""

    name: ClassVar[str]
    """The contract's name."""
    title: ClassVar[str]
    """What people call the game."""
    how: ClassVar[str]
    """How a move is typed, for people."""

    def setup(self, inviter_begins: bool) -> bytes:
        """What `IRules.start` is given; the inviter is Alice."""
        return (0 if inviter_begins else 1).to_bytes(32, "big")

    @abstractmethod
    def draw(self, position: bytes) -> str:
        """A position for the terminal; whatever bytes come."""

    def grid(self, position: bytes) -> Grid | None:  # noqa: ARG002
        """The same for a screen on which cells are clicked; None: moves are typed."""
        return None

    @abstractmethod
    def read(self, text: str) -> bytes:
        """A move, in the rules' encoding. Raises `BadMove`."""

    def resignation(self) -> bytes | None:
        """The move by which one gives up on chain; None: the rules have none."""
        return None

    def tries(self, position: bytes) -> Iterable[bytes] | None:  # noqa: ARG002
        """All moves that could be legal there, and any others, for `perun nano check`; None: it
        tries whatever bytes there are."""
        return None
