"""What turns a story: a cast works until all is quiet, and blocks come when told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.demo.character import Character
from perun.errors import BrokenInvariant
from perun.types import UnixTime

__all__ = ["StoryFailed", "Wheels"]

_MOST_TURNS: Final = 100_000


@dataclass(eq=False)
class StoryFailed(BrokenInvariant):
    """Something that the protocol promises did not happen."""

    what: str

    template: ClassVar[str] = "the story went wrong: {what} did not happen"
    hint: ClassVar[str] = "this is a bug; please report it with the seed"


class Wheels(ABC):
    """In one thread and a fixed order: the same story every time."""

    cast: list[Character]
    most_blocks: ClassVar[int] = 60
    """What has not happened after so many never will."""

    @abstractmethod
    def mine(self, at: UnixTime | None = None) -> None:
        """Makes a block of what waits, of that time if one is given; nobody looks at it yet."""

    def settle(self) -> None:
        """Lets everybody work until nobody has anything to do."""
        for _ in range(_MOST_TURNS):
            if not any(party.node.turn() for party in self.cast if party.alive):
                return
        raise StoryFailed("coming to rest")

    def look(self) -> None:
        """Lets everybody look at the chain, send what follows, and look at what came of that."""
        for _ in range(2):
            for party in self.cast:
                if party.alive:
                    party.chain.poll()
            self.settle()

    def block(self, count: int = 1, *, at: UnixTime | None = None) -> None:
        """Makes blocks, the first at time `at`; everybody looks at each."""
        for number in range(count):
            self.mine(at if number == 0 else None)
            self.look()

    def until(self, happened: Callable[[], bool], what: str = "it") -> None:
        """Makes blocks until it has happened.

        Raises:
            StoryFailed: `most_blocks` have come, and it has not.
        """
        self.settle()
        self.look()
        for _ in range(self.most_blocks):
            if happened():
                return
            self.block()
        raise StoryFailed(what)
