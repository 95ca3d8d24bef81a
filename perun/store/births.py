"""What a file is known by that no copy can take along: its inode, and when it was born.

Linux tells the birth by `statx`, which Python does not offer, other systems by `stat`. Where a file
system does not know it the change time stands in, which also changes by `chmod` and the like: there
a store takes those for a copy, never the other way round.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["mark", "old_mark"]

_HERE: Final = -100
"""AT_FDCWD."""
_BIRTH: Final = 0x800
"""STATX_BTIME, asked for and answered."""


def mark(seal: Path, store: Path, *, renamed: bool = False) -> bytes:
    """64 bytes that name this very seal, beside this very database.

    Args:
        renamed: a name that is still to be changed must not count.

    Raises:
        OSError: one of the two is not there.
    """
    return _identity(seal, changing=not renamed) + _identity(store, changing=False)


def old_mark(seal: Path) -> bytes | None:
    """The mark of schema 2: what the file contains, its inode and its change time."""
    try:
        stat = seal.stat()
        return seal.read_bytes() + _number(stat.st_ino) + _number(stat.st_ctime_ns)
    except OSError:
        return None


def _identity(path: Path, *, changing: bool) -> bytes:
    """Inode and birth; without a birth the change time if that may be asked for, else nothing."""
    stat = path.stat()
    born = _born(path, stat)
    if born is None:
        born = stat.st_ctime_ns if changing else 0
    return _number(stat.st_ino) + _number(born)


def _number(value: int) -> bytes:
    return (value % (1 << 128)).to_bytes(16, "big")


def _find_statx() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = ctypes.CDLL(None).statx
    except (OSError, AttributeError):
        return None
    return found


_statx: Final = _find_statx()


def _born(path: Path, stat: os.stat_result) -> int | None:
    """Nanoseconds since 1970; None if the system does not say."""
    if _statx is None:
        seconds = getattr(stat, "st_birthtime", None)
        return None if seconds is None else int(seconds * 1e9)
    buffer = ctypes.create_string_buffer(256)
    if _statx(_HERE, os.fsencode(path), 0, _BIRTH, buffer) != 0:
        return None
    # struct statx is the same on every machine: mask at 0, birth at 80 (statx(2)).
    (answered,) = struct.unpack_from("=I", buffer, 0)
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, 80)
    return seconds * 10**9 + nanoseconds if answered & _BIRTH else None
