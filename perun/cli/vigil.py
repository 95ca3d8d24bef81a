"""The rounds of a tower, for as long as its owner sleeps: each trouble is told, none is the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from rich.console import Console

from perun.cli.render import say
from perun.deployments import WrongCode
from perun.errors import ChainFault, Misuse, PerunError
from perun.node.export import BadExport
from perun.node.watchtower import Watchtower

__all__ = ["Vigil"]

_ROUND_SECONDS: Final = 4.0

_REMIND_SECONDS: Final = 60.0
"""The same trouble is told again so often."""


class Vigil:
    """Looks again and again, and says when it cannot see."""

    def __init__(
        self,
        begin: Callable[[], Watchtower],
        shown: Console,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asks nothing yet.

        Args:
            begin: makes the tower; asked again until the node lets it.
        """
        self._begin = begin
        self._shown = shown
        self._sleep = sleep
        self._clock = clock
        self._tower: Watchtower | None = None
        self._saw_at = clock()
        self._sees = True
        self._told: tuple[type, float] = (type(None), 0.0)

    def keep(self, *, rounds: int | None = None, end_blind: float | None = None) -> bool:
        """Whether the last look worked.

        Args:
            rounds: end after so many; None: never.
            end_blind: end after so many seconds without a look that worked; None: never.

        Raises:
            Misuse, WrongCode, BadExport: the very first look shows that it can never work.
        """
        done = 0
        while True:
            self._round()
            done += 1
            if done == rounds or (end_blind is not None and self._blind_for >= end_blind):
                return self._sees
            self._sleep(_ROUND_SECONDS)

    @property
    def _blind_for(self) -> float:
        return 0.0 if self._sees else self._clock() - self._saw_at

    def _round(self) -> None:
        if self._tower is None:
            try:
                self._tower = self._begin()
            except (Misuse, WrongCode, BadExport) as error:
                if self._sees:
                    raise
                self._cannot_see(error)
                return
            except ChainFault as fault:
                self._cannot_see(fault)
                return
        try:
            self._tower.round()
        except BadExport as fault:
            # The chain was looked at all the same.
            self._remark(fault, f"{fault}; watching what was read before", "yellow")
            self._saw(fault)
        except ChainFault as fault:
            self._cannot_see(fault)
        except Exception as error:
            # A bug. A node would have to stop and touch nothing; a tower signs nothing, and what it
            # shows was signed by both: somebody sleeps, and counts on the next round.
            self._cannot_see(error)
            self._tower.start_over()
        else:
            self._saw(None)

    def _cannot_see(self, error: Exception) -> None:
        self._sees = False
        seconds = f"{self._blind_for:.0f} s"
        kind = "" if isinstance(error, PerunError) else f"{type(error).__name__}: "
        self._remark(error, f"BLIND for {seconds}, nothing is answered: {kind}{error}", "bold red")

    def _saw(self, trouble: Exception | None) -> None:
        if not self._sees:
            say(self._shown, f"Sees again, after {self._blind_for:.0f} s.", "green")
        self._sees, self._saw_at = True, self._clock()
        if trouble is None:
            self._told = (type(None), 0.0)

    def _remark(self, error: Exception, text: str, style: str) -> None:
        """At once, and again now and then as long as it stays so."""
        kind, at = self._told
        if type(error) is kind and self._clock() - at < _REMIND_SECONDS:
            return
        self._told = (type(error), self._clock())
        say(self._shown, text, style)
