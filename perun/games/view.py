"""What a view of a game must say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from perun.errors import Misuse

__all__ = ["BadMove", "View"]


@dataclass(eq=False)
class BadMove(Misuse):
    """What was typed is no move in this game's notation."""

    typed: str
    how: str

    template: ClassVar[str] = "{typed!r} is no move: it is {how}"
    hint: ClassVar[str] = "type another one"


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
