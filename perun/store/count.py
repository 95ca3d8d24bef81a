"""How many commits there were, told by a file beside the database.

Written after each commit without waiting for the disk, so that after a power cut it may say fewer.
The file also carries a count in its name: a copy that is written over the original's files, inode
by inode, takes the place of what they contain, but leaves that name beside its own. A new name is
dearer than a few bytes (a disk's journal takes part), so it is given every few seconds only.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

__all__ = ["Count"]

_NAMED_EVERY: Final = 10.0
"""Seconds."""


class Count:
    """Of one store; found when it is opened, kept from `begin` to `close`."""

    def __init__(self, store: Path) -> None:
        """Looks for it.

        Raises:
            OSError: the folder cannot be read.
        """
        self._prefix = str(store.with_name(store.name + ".count-"))
        self._found = [
            found
            for found in store.parent.iterdir()
            if str(found).startswith(self._prefix)
            and str(found).removeprefix(self._prefix).isdecimal()
        ]
        self.seen = max(map(self._count, self._found), default=0)
        """Commits that there were; 0 if nothing says so."""
        self._name = ""
        self._fd = -1
        self._named = 0.0
        self._last = 0

    def _count(self, found: Path) -> int:
        """The greater of what its name and its content say."""
        named = int(str(found).removeprefix(self._prefix))
        with found.open("rb") as file:
            return max(named, int.from_bytes(file.read(8), "big"))

    def begin(self, count: int) -> None:
        """One file remains, with this count.

        Raises:
            OSError: it cannot be made.
        """
        self._name = f"{self._prefix}{count}"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._fd = os.open(self._name, flags, 0o600)
        os.pwrite(self._fd, count.to_bytes(8, "big"), 0)
        for found in self._found:
            if str(found) != self._name:
                found.unlink(missing_ok=True)
        self._named, self._last = time.monotonic(), count

    def note(self, count: int) -> None:
        """Remembers a commit. What the disk says against it is overlooked: the rows are stored, and
        a guard that lags behind is worth less than a node that runs."""
        self._last = count
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, count.to_bytes(8, "big"), 0)
            if time.monotonic() - self._named >= _NAMED_EVERY:
                self._rename()

    def _rename(self) -> None:
        name = f"{self._prefix}{self._last}"
        self._named = time.monotonic()
        os.rename(self._name, name)
        self._name = name

    def close(self) -> None:
        """Lets the file go, with a name that says the newest count."""
        if self._fd < 0:
            return
        with contextlib.suppress(OSError):
            self._rename()
        os.close(self._fd)
        self._fd = -1
