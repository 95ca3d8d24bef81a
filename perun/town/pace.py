"""When a chain that we keep makes its next block.

One comes every second while something happens, and every fifteen otherwise: nodes want to see a
young one, and what is kept grows with each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["SECOND", "Pace"]

SECOND: Final = 1.0
_IDLE: Final = 15.0
_BUSY: Final = 30.0
"""Seconds after the last transaction in which each second has a block."""


class Pace:
    """Asked once a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._made = self._busy = clock()

    def is_due(self, waiting: int) -> bool:
        """Whether to make a block now.

        Args:
            waiting: transactions that could be in it.
        """
        now = self._clock()
        if waiting:
            self._busy = now
        rest = SECOND if now - self._busy < _BUSY else _IDLE
        # A second that comes a little early is one.
        if waiting or now - self._made >= rest - SECOND / 20:
            self._made = now
            return True
        return False
