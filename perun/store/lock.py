"""One writer: locks of the operating system, which vanish with their process.

One is on a file beside the store, which also names the holder. Where the system has locks that
belong to an open file (Linux) a second one is on the database itself, at a byte that SQLite does
not use: whoever removes the file beside it still finds that one taken.

A forked child lets both go at once; they stay with the parent.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
import weakref
from pathlib import Path
from typing import Final

from perun.store.faults import StoreInUse, fault_of

__all__ = ["StoreLock"]

_BYTE: Final = 0x4000_0000 + (1 << 16)
"""SQLite locks a few hundred bytes from 0x4000_0000 on (its os.h, PENDING_BYTE)."""

_held: Final[weakref.WeakSet[StoreLock]] = weakref.WeakSet()


# Rule store-1.
class StoreLock:
    """Held from construction to `release`. Creates the database if there is none."""

    def __init__(self, store: Path) -> None:
        """Takes the lock.

        Raises:
            StoreInUse: another process, or another part of this one, holds it.
            StoreFull, StoreReadOnly, StoreUnreachable: the files cannot be made or opened.
        """
        self.path = store.with_name(store.name + ".lock")
        self.opener = os.getpid()
        self._beside = self._database = -1
        self._id = (0, 0)
        try:
            self._take(store)
        except OSError as error:
            self.release()
            raise fault_of(store, error) from error
        except BaseException:
            self.release()
            raise
        _held.add(self)

    def _take(self, store: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._beside = os.open(self.path, flags, 0o600)
        if not _lock(self._beside):
            holder = os.pread(self._beside, 32, 8).strip(b"\0 ").decode(errors="replace")
            raise StoreInUse(str(store), holder or "unknown")
        if not store.exists():
            os.close(os.open(store, flags | os.O_EXCL, 0o600))
        stat = store.stat()
        # To open and close a database that this process uses would undo SQLite's own locks on it
        # (sqlite.org/howtocorrupt.html, 2.2).
        if any(lock._id == (stat.st_dev, stat.st_ino) for lock in _held):
            raise StoreInUse(str(store), str(os.getpid()))
        self._database = os.open(store, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        if not _lock_byte(self._database):
            raise StoreInUse(str(store), "unknown")
        self._id = (stat.st_dev, stat.st_ino)
        os.pwrite(self._beside, str(os.getpid()).encode().ljust(32), 8)

    @property
    def older_count(self) -> int:
        """Commits that programs of before schema 3 have noted here."""
        return int.from_bytes(os.pread(self._beside, 8, 0), "big")

    def release(self) -> None:
        """Lets go; the file stays, since removing it would race with the next holder."""
        _held.discard(self)
        for fd in (self._database, self._beside):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._beside = self._database = -1


def _release_in_child() -> None:
    for lock in list(_held):
        lock.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> bool:
        os.lseek(fd, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _lock_byte(_: int) -> bool:
        """Nothing more: an open file cannot be removed there."""
        return True

else:
    import fcntl

    os.register_at_fork(after_in_child=_release_in_child)

    def _lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def _lock_byte(fd: int) -> bool:
        """False if another holds it; True also where there are no such locks."""
        command = getattr(fcntl, "F_OFD_SETLK", None)
        if command is None:
            return True
        # struct flock: type, whence, start, length, process; the last must be 0.
        wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
        try:
            fcntl.fcntl(fd, command, wanted)
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return True
