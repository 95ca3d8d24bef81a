"""Reads old logs, as many at a time as the node can: what happened before we began to follow.

Some nodes answer over a few blocks only, so that a long past takes many rounds; meanwhile storage
tells what is dangerous. Progress is kept from round to round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from perun.bindings.failures import NodeRefused
from perun.bindings.logs import Log
from perun.chain.endpoint import Reading
from perun.errors import ChainFault

__all__ = ["Chapter", "History"]

_ENOUGH: Final = 2**32
"""Blocks. A node that takes so many at once takes all."""

_MANY: Final = 512
"""Questions of a round to a node that takes all blocks at once …"""

_FEW: Final = 2
"""… and to one that does not, each of which is many to it."""

_SPLITS: Final = 6
"""Times in a round that fewer ids are tried; a node in trouble refuses them all."""

Topics = Sequence[Sequence[bytes] | None]


@dataclass(slots=True)
class Chapter:
    """Logs of some topics in a range of blocks; read up to `next`."""

    topics: Topics
    next: int
    last: int
    read: Callable[[Sequence[bytes], list[Log]], None]
    """Told once, when all are there."""
    ids: Sequence[bytes] = ()
    """What the logs are about, if not the topics say it."""
    found: list[Log] = field(default_factory=list)

    def halves(self) -> tuple[Chapter, Chapter]:
        """The same of half of the ids each, from where it has come to."""
        middle = len(self.ids) // 2
        first, second = self.ids[:middle], self.ids[middle:]
        return (
            Chapter((None, first), self.next, self.last, self.read, first, list(self.found)),
            Chapter((None, second), self.next, self.last, self.read, second, list(self.found)),
        )


class History:
    """Chapters that are still to be read."""

    def __init__(self) -> None:
        self._chapters: deque[Chapter] = deque()

    def add(self, chapter: Chapter, *, first: bool = False) -> None:
        """One more to read; `first`: before what nobody waits for."""
        if first:
            self._chapters.appendleft(chapter)
        else:
            self._chapters.append(chapter)

    def clear(self) -> None:
        """None is wanted any more."""
        self._chapters.clear()

    def __bool__(self) -> bool:
        return bool(self._chapters)

    def read(
        self, reading: Reading, logs: Callable[[int, int, Topics], list[Log]]
    ) -> ChainFault | None:
        """Goes on for as long as one round may take; what stood in the way, if anything did."""
        asked = splits = 0
        while self._chapters:
            if asked >= (_MANY if reading.reach > _ENOUGH else _FEW):
                return None
            asked += 1
            chapter, reach = self._chapters[0], reading.reach
            until = min(chapter.last, chapter.next + reach - 1)
            try:
                if chapter.next <= until:
                    chapter.found += logs(chapter.next, until, chapter.topics)
            except ChainFault as fault:
                if reading.reach < reach:
                    continue  # shorter pieces may do
                if len(chapter.ids) > 1 and isinstance(fault, NodeRefused) and splits < _SPLITS:
                    splits += 1  # so many ids may be too many
                    self._chapters.popleft()
                    self._chapters.extendleft(chapter.halves())
                    continue
                return fault
            chapter.next = until + 1
            if chapter.next > chapter.last:
                self._chapters.popleft()
                chapter.read(chapter.ids, chapter.found)
        return None
