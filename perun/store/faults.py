"""What can go wrong with a store, and which of it an error of the disk or of SQLite means.

StoreFault
├── StoreDamaged        not as it was written
├── StoreTooNew         written by a newer program
├── StoreInUse          another process has it open
├── StoreTaken          another program has written it while we had it open
├── StoreForked         this process inherited it and may not use it
├── AnotherName         a hard link to a store that lives elsewhere
├── StoreLocked         another program held its database for too long
├── StoreFull           no space left
├── StoreReadOnly       the medium, folder or file cannot be written
├── StoreUnreachable    the medium does not answer
└── WriteFailed         not known whether the last rows are on disk
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from perun.errors import StoreFault

__all__ = [
    "AnotherName",
    "StoreDamaged",
    "StoreForked",
    "StoreFull",
    "StoreInUse",
    "StoreLocked",
    "StoreReadOnly",
    "StoreTaken",
    "StoreTooNew",
    "StoreUnreachable",
    "WriteFailed",
    "fault_of",
    "is_locked",
]


@dataclass(eq=False)
class StoreDamaged(StoreFault):
    """The file is no store, or not as it was written; it was left as it is."""

    path: str
    reason: str

    template: ClassVar[str] = "{path} cannot be read: {reason}"
    hint: ClassVar[str] = "restore a backup; it opens exit only, which gets the money out"


@dataclass(eq=False)
class StoreInUse(StoreFault):
    """Another process has the store open; its lock vanishes with it."""

    path: str
    holder: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{path} is in use by process {holder}"
    hint: ClassVar[str] = "one store has one writer: stop the other process first"


@dataclass(eq=False)
class StoreTaken(StoreFault):
    """Somebody else has written the store since we opened it; nothing of ours was written."""

    path: str

    template: ClassVar[str] = "{path} was written by another program while we had it open"
    hint: ClassVar[str] = "one store has one writer: stop both, then start one of them again"


@dataclass(eq=False)
class StoreForked(StoreFault):
    """The store was opened before this process was forked off; nothing was read or written."""

    path: str
    opener: int
    here: int

    template: ClassVar[str] = "{path} was opened by process {opener}, and this is process {here}"
    hint: ClassVar[str] = "open the store in the process that uses it, after any fork"


@dataclass(eq=False)
class AnotherName(StoreFault):
    """A hard link to a store: SQLite looks for its log beside the name it is given, in vain."""

    path: str
    store: str

    template: ClassVar[str] = "{path} is another name of {store}"
    hint: ClassVar[str] = "open the store by its own name; for a backup use `perun backup`"


@dataclass(eq=False)
class StoreTooNew(StoreFault):
    """The file was written by a newer program."""

    path: str
    found: int
    known: int

    template: ClassVar[str] = "{path} has schema {found}, this program knows {known}"
    hint: ClassVar[str] = "install the newer version; nothing was changed"


@dataclass(eq=False)
class StoreLocked(StoreFault):
    """Another program (a backup tool, a database browser) holds SQLite's write lock."""

    path: str
    waited: int
    """Seconds."""

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{path} is held by another program, for {waited} s so far"
    hint: ClassVar[str] = "end whatever has the file open; nothing is lost meanwhile"


@dataclass(eq=False)
class StoreFull(StoreFault):
    """There is no space left where the store lies. What was stored before is as it was."""

    path: str
    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no space left for {path} ({reason})"
    hint: ClassVar[str] = "free space, then start again; nothing that was stored is lost"


@dataclass(eq=False)
class StoreReadOnly(StoreFault):
    """The medium, its folder or a file of the store cannot be written by us."""

    path: str
    reason: str

    template: ClassVar[str] = "{path} cannot be written ({reason})"
    hint: ClassVar[str] = (
        "make it writable, or copy it to where it is; a copy opens exit only, "
        "which gets the money out"
    )


@dataclass(eq=False)
class StoreUnreachable(StoreFault):
    """The medium does not do what it was asked; what is on it was not changed."""

    path: str
    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{path} cannot be reached ({reason})"
    hint: ClassVar[str] = "see whether folder and disk are there and healthy, then start again"


@dataclass(eq=False)
class WriteFailed(StoreFault):
    """It is not known whether the last rows are on disk; nothing after them may be done."""

    path: str
    reason: str

    template: ClassVar[str] = "writing {path} failed: {reason}"
    hint: ClassVar[str] = "the node stops; free space or repair the disk, then start it again"


# SQLite's primary result codes (sqlite.org/rescode.html), the same in every host.
_BUSY, _LOCKED, _READ_ONLY, _IO_ERROR, _CORRUPT, _FULL, _CANNOT_OPEN, _NO_DATABASE = (
    *(5, 6, 8, 10),
    *(11, 13, 14, 26),
)
_LEAST_FREE: Final = 1 << 16
"""Bytes. With less SQLite cannot make the files beside a database, and calls that an I/O error."""


def is_locked(error: Exception) -> bool:
    """Whether SQLite only waits for another program."""
    return _code(error) in (_BUSY, _LOCKED)


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for what is none of its errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def fault_of(path: Path, error: Exception, *, writing: bool = False) -> StoreFault:
    """What an error of the disk or of SQLite means for the store at `path`.

    Args:
        writing: rows were being committed; else the store was being opened or read.
    """
    where, reason, code = str(path), str(error), _code(error)
    if isinstance(error, OSError):
        reason = error.strerror or reason
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreFull(where, reason)
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return StoreReadOnly(where, reason)
        return StoreUnreachable(where, reason)
    if is_locked(error):
        return StoreLocked(where, 0)
    if code == _FULL:
        return StoreFull(where, reason)
    if code == _READ_ONLY:
        return StoreReadOnly(where, reason)
    if code in (_IO_ERROR, _CANNOT_OPEN):
        # The same words for many causes; the file system says which.
        cause = _cause(path)
        if cause is not None:
            return cause(where, reason)
        return WriteFailed(where, reason) if writing else StoreUnreachable(where, reason)
    return WriteFailed(where, reason) if writing else StoreDamaged(where, reason)


def _cause(path: Path) -> type[StoreFull] | type[StoreReadOnly] | None:
    """Whether the file system is full or closed to us."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return None
    if room.f_flag & os.ST_RDONLY or not os.access(path.parent, os.W_OK):
        return StoreReadOnly
    if path.exists() and not os.access(path, os.W_OK):
        return StoreReadOnly
    # Some file systems count no inodes, and say 0 of 0.
    if room.f_bavail * room.f_frsize < _LEAST_FREE or (room.f_files and not room.f_favail):
        return StoreFull
    return None
