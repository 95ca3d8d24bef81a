"""Is this the store that was here last, or a copy of it (protocol, section 5, Store [B11])?

Beside the database lies a seal, a file with a random number that is drawn anew at every opening.
The database remembers that number and the seal's inode and change time, neither of which a copy can
take along. So a copied or restored database finds no seal, another number, or a seal that is itself
a copy. What no program on the machine can tell is the restored image of a whole disk; there a peer
that shows a newer state does (`perun.core.proposals.on_show`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Protocol

__all__ = ["Memory", "check_and_renew", "path_of"]


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
    """Whether this is the original; if so the seal is renewed, safe against a crash in between."""
    current, coming = memory.get("seal"), memory.get("next seal")
    if current is None and coming is None and memory.get("born") is None:
        original = True
    else:
        found = _read(path_of(store))
        original = (
            found is not None
            and found[0] is not None
            and (found[0] == coming or found[0] + found[1] == current)
        )
    if not original:
        return False
    number = secrets.token_bytes(16)
    # A crash here leaves the old seal, one after the next line the coming one: both are known.
    memory.put("next seal", number)
    memory.put("born", b"yes")
    mark = _write(path_of(store), number)
    memory.put("seal", number + mark)
    memory.put("next seal", b"")
    return True


def _read(path: Path) -> tuple[bytes, bytes] | None:
    try:
        number = path.read_bytes()
    except OSError:
        return None
    return number, _mark(path)


def _mark(path: Path) -> bytes:
    """Inode and change time: no tool sets the latter."""
    stat = path.stat()
    return stat.st_ino.to_bytes(16, "big") + stat.st_ctime_ns.to_bytes(16, "big")


def _write(path: Path, number: bytes) -> bytes:
    """Replaces the seal as a whole and on disk."""
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, number)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(new, path)
    with contextlib.suppress(OSError):
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return _mark(path)
