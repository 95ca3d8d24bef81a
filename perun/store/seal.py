"""Is this the store that was here last, or a copy of it (protocol, section 5, Store [B11])?

Beside the database lie two small files.

- The *seal* is a new file at every opening. The database remembers which one: by its inode and its
  birth, and its own inode and birth with it. No tool sets either, so that a copy, wherever it is
  put, finds no such file; and nothing that leaves the files in place (`chmod`, `chown`, `touch`,
  a hard link, a new name) changes them.
- The *count* says how many commits there were (`perun.store.count`): a database that has fewer is
  an older one.

What no program on the machine can tell is the restored image of a whole disk; there a peer that
shows a newer state does (`perun.core.proposals.on_show`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final, Protocol

from perun.store import births

__all__ = ["Memory", "check_and_renew", "path_of"]

_CURRENT: Final = "seal"
_COMING: Final = "next seal"
_TEXT: Final = b"This file tells the store beside it from a copy. Do not copy or remove it.\n"
_OLD_MARK: Final = 48
"""Bytes of the mark until schema 3: 16 that the seal contained, its inode and its change time."""


class Memory(Protocol):
    """Where the database keeps small values."""

    def get(self, name: str) -> bytes | None:
        """What was put."""

    def put(self, name: str, value: bytes) -> None:
        """Durable when it returns."""


def path_of(store: Path) -> Path:
    """The seal of a store."""
    return store.with_name(store.name + ".seal")


def check_and_renew(store: Path, memory: Memory) -> bool:
    """Whether this is the original; if so the seal is renewed, safe against a crash in between.

    Raises:
        OSError: the new seal cannot be written; nothing was changed.
    """
    seal = path_of(store)
    new = seal.with_name(seal.name + ".new")
    if not _known(store, (seal, new), memory):
        return False
    _make(new)
    # From here on both are known, so a crash may leave either, and any number of crashes any of
    # them. Neither is to be had by copying.
    memory.put(_COMING, births.mark(new, store, renamed=True))
    os.replace(new, seal)
    _sync_folder(seal.parent)
    memory.put(_CURRENT, births.mark(seal, store))
    return True


def _known(store: Path, seals: tuple[Path, ...], memory: Memory) -> bool:
    current, coming = memory.get(_CURRENT), memory.get(_COMING)
    if not current and not coming:
        # The first opening of a new database, or the second after a crash in the first.
        return True
    if current is not None and len(current) == _OLD_MARK:
        return births.old_mark(seals[0]) == current
    return any(
        (current and births.mark(seal, store) == current)
        or (coming and births.mark(seal, store, renamed=True) == coming)
        for seal in seals
        if seal.exists()
    )


def _make(path: Path) -> None:
    """A file that was not there before, on disk."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, _TEXT)
        os.fsync(fd)
    finally:
        os.close(fd)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Names on disk, where folders can be opened."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
