"""One writer: an OS lock on a file beside the store, which vanishes with its process.

The file also holds a count of commits, written after each without waiting for the disk. A database
whose own count is lower is an older copy that was put back in place (protocol, section 5, Store).
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from perun.store.faults import StoreInUse

__all__ = ["StoreLock"]


class StoreLock:
    """Held from construction to `release`."""

    def __init__(self, store: Path) -> None:
        """Takes the lock.

        Raises:
            StoreInUse: another process, or another part of this one, holds it.
        """
        self.path = store.with_name(store.name + ".lock")
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _lock(self._fd)
        except OSError:
            holder = os.pread(self._fd, 32, 8).strip(b"\0 ").decode(errors="replace")
            os.close(self._fd)
            raise StoreInUse(str(store), holder or "unknown") from None
        os.pwrite(self._fd, str(os.getpid()).encode().ljust(32), 8)

    @property
    def count(self) -> int:
        """Commits so far, as far as the file system has it; 0 for a new file."""
        return int.from_bytes(os.pread(self._fd, 8, 0), "big")

    def note(self, count: int) -> None:
        """Remembers a commit."""
        os.pwrite(self._fd, count.to_bytes(8, "big"), 0)

    def release(self) -> None:
        """Lets go; the file stays, since removing it would race with the next holder."""
        with contextlib.suppress(OSError):
            os.close(self._fd)


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
