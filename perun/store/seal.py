"""Is this the store that was here last, or a copy of it (protocol, section 5, Store [B11])?

Beside the database lie two small files.

- The *seal* is a new file at every opening. The database remembers which one: by its inode and its
  birth, and its own inode and birth with it. No tool sets either, so that a copy, wherever it is
  put, finds no such file; and nothing that leaves the files in place (`chmod`, `chown`, `touch`,
  a hard link, a new name) changes them.
- The *count* carries in its name how many commits there were. A copy that is written over the
  original's files, inode by inode, leaves that name beside its own: the greatest counts.

What no program on the machine can tell is the restored image of a whole disk; there a peer that
shows a newer state does (`perun.core.proposals.on_show`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final, Protocol

from perun.store import births

__all__ = ["Count", "Memory", "check_and_renew", "path_of"]

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
    sync_folder(seal.parent)
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
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names on disk, where folders can be opened."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class Count:
    """The name that says how many commits there were; renamed after each, without waiting for the
    disk: after a power cut it may say fewer."""

    def __init__(self, store: Path) -> None:
        """Looks for it; the greatest, if there are several."""
        self._prefix = str(store.with_name(store.name + ".count-"))
        self._found = sorted(
            (int(number), path)
            for path in store.parent.glob(f"{_escaped(store.name)}.count-*")
            if (number := path.name.removeprefix(f"{store.name}.count-")).isdecimal()
        )
        self.seen = self._found[-1][0] if self._found else 0
        """Commits that there were; 0 if nothing says so."""
        self._name = ""

    def begin(self, count: int) -> None:
        """One file remains, with this count.

        Raises:
            OSError: it cannot be made.
        """
        name = f"{self._prefix}{count}"
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
        for _, path in self._found:
            if str(path) != name:
                path.unlink(missing_ok=True)
        self._name = name

    def note(self, count: int) -> None:
        """Remembers a commit."""
        name = f"{self._prefix}{count}"
        try:
            os.rename(self._name, name)
        except OSError:
            # The rows are on disk; a guard that lags behind is worth less than a node that runs.
            with contextlib.suppress(OSError):
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
        self._name = name


def _escaped(name: str) -> str:
    """A name as a pattern that only it matches."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
