"""Ports that a network has claimed while it is up, though nobody of it may listen there yet.

A port is free until somebody listens, and a network takes seconds to start: two that are founded at
once would choose the same. So whoever puts one up holds a file's lock for each ten ports; the
system lets go of it, however the process ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from filelock import FileLock, Timeout

from perun.api.place import DEFAULT_HOME

__all__ = ["TEN", "Claims"]

TEN: Final = 10
"""Ports that are claimed together."""


class Claims:
    """A context: at its end nothing is claimed any more."""

    def __init__(self, folder: Path = DEFAULT_HOME / "ports") -> None:
        """Args:
        folder: the same for all networks of a user.
        """
        self._folder = folder
        self._held: dict[int, FileLock] = {}

    def take(self, port: int) -> bool:
        """Claims a port, with those that begin with the same digits; False: another has them."""
        ten = port // TEN
        if ten in self._held:
            return True
        lock = FileLock(self._folder / f"{ten * TEN}.lock")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError:
            return True  # Where no file can be written nobody claims: who listens is seen anyway.
        self._held[ten] = lock
        return True

    def drop(self, port: int) -> None:
        """Lets go of it."""
        lock = self._held.pop(port // TEN, None)
        if lock is not None:
            lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for ten in list(self._held):
            self.drop(ten * TEN)
