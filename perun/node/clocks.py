"""Time as a node sees it: what our own clock shows, and what it has counted.

What it shows can be set by anybody, back or a year ahead; what it has counted since the node
started cannot, so waiting and freshness are measured by that.
"""

from __future__ import annotations

import time
from typing import Final

from perun.core.inputs import Tick
from perun.ports import Clock, CountingClock
from perun.types import UnixTime

__all__ = ["SystemClock", "Ticker", "counted"]


def _counter() -> int | None:
    """A clock that goes on while the machine sleeps, as the chain does, where there is one."""
    found: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    try:
        return None if found is None or time.clock_gettime(found) < 0 else found
    except OSError:
        # A browser names it and has none.
        return None


_COUNTER: Final = _counter()


def counted() -> float:
    """Seconds that this machine has counted; see `perun.ports.CountingClock`."""
    return time.monotonic() if _COUNTER is None else time.clock_gettime(_COUNTER)


class SystemClock:
    """This machine's clock."""

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return UnixTime(int(time.time()))

    def counted(self) -> float:
        """See `perun.ports.CountingClock`."""
        return counted()


class Ticker:
    """Makes ticks of a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counting = clock if isinstance(clock, CountingClock) else None
        self._start: tuple[UnixTime, float] | None = None
        self._last: Tick | None = None

    def tick(self) -> Tick | None:
        """The time, if it is another than at the last tick."""
        wall, last = self._clock.now(), self._last
        if last is None:
            clock = wall
            self._start = (wall, self._counted())
        elif self._counting is not None:
            assert self._start is not None
            since, count = self._start
            clock = UnixTime(max(last.clock, since + int(self._counted() - count)))
        else:
            # A clock that only shows the time: what it was set back is no time that has passed.
            clock = UnixTime(last.clock + max(0, wall - last.wall))
        if last is not None and (clock, wall) == (last.clock, last.wall):
            return None
        self._last = Tick(clock, wall)
        return self._last

    def _counted(self) -> float:
        return 0.0 if self._counting is None else self._counting.counted()
