"""Whether the chain is seen, and since when not: whoever runs a node must learn it in seconds.

Durations are taken by a clock that nobody sets; what people read is the time of day.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from perun.chain.endpoint import Block
from perun.chain.reports import Blind, Report, SeesAgain
from perun.types import Record, Seconds, UnixTime

__all__ = ["Health", "Sight"]

_PATIENCE: Final = 5.0
"""Seconds of trouble that are blindness …"""

_TRIES: Final = 3
"""… and as many rounds in a row: a node that answers one question in two is not blind."""


_REMEMBERED: Final = 256
"""Blocks; more replicas than this stand behind no address."""


class Health(Record, frozen=True, gc=False):
    """How a chain port fares, for metrics, exit codes and notices."""

    head: Block | None
    """Newest block that was taken in."""
    age: float | None
    """Seconds since the last one arrived that was new, whatever our clock or the block says; None:
    there is none yet."""
    blind_since: UnixTime | None
    """Since when the newest block is not, or not wholly, known; None: it is."""
    reason: str
    """Why not."""
    doubts: int
    """Channels and instances whose logs say something else than their storage."""
    unanswered: tuple[str, ...]
    """Questions that the node does not answer at present, which nothing urgent waits for."""
    failed: str = ""
    """Why the port has stopped for good; empty while it has not."""


class Sight:
    """Keeps that account, and tells of changes. Written by one thread, read by any."""

    def __init__(
        self,
        silence: Seconds,
        report: Callable[[Report], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        """Sees nothing yet, and is not blind yet.

        Args:
            silence: how long a chain may go without a new block.
            clock: seconds, never set.
            today: Unix time.
        """
        self._silence = silence
        self._report = report
        self._clock = clock
        self._today = today
        self._arrived = self._started = clock()
        self._trouble: tuple[float, str] | None = None
        """Since when by `clock`, and the newest reason."""
        self._failures = 0
        self._seen: dict[bytes, None] = {}
        """Hashes of newest blocks, oldest first."""
        self._told: UnixTime | None = None
        self.head: Block | None = None

    @property
    def age(self) -> float | None:
        """Seconds since a block arrived that was new."""
        return None if self.head is None else self._clock() - self._arrived

    @property
    def blind(self) -> tuple[UnixTime, str] | None:
        """Since when, and why."""
        now = self._clock()
        trouble = self._trouble
        if trouble is not None and (self._failures >= _TRIES or now - trouble[0] >= _PATIENCE):
            return self._date(trouble[0], now), trouble[1]
        if now - self._arrived > self._silence:
            return self._date(self._arrived, now), f"no new block for {self._silence} seconds"
        return None

    def _date(self, since: float, now: float) -> UnixTime:
        return UnixTime(int(self._today() - (now - since)))

    def arrived(self, head: Block) -> None:
        """A newest block was taken in. One that was seen before is no sign of life: replicas that
        stand still show theirs in turn."""
        self.head = head
        if head.hash not in self._seen:
            self._seen[head.hash] = None
            self._arrived = self._clock()
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def rounded(self, trouble: str | None) -> None:
        """A round has ended, well or not; tells what has changed by it."""
        if trouble is None:
            self._trouble, self._failures = None, 0
        else:
            since = self._clock() if self._trouble is None else self._trouble[0]
            self._trouble, self._failures = (since, trouble), self._failures + 1
        self.tell()

    def tell(self) -> None:
        """Reports blindness once when it begins, and once when it is over."""
        blind = self.blind
        if blind is not None and self._told is None:
            self._told = blind[0]
            self._report(Blind(*blind))
        elif blind is None and self._told is not None:
            self._report(SeesAgain(self._told))
            self._told = None
