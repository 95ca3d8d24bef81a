"""Copies of a store: made while its node runs, opened without disturbing it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from perun.core.books import Books
from perun.core.config import Config, Identity
from perun.crypto.keys import PublicKey
from perun.errors import StoreFault
from perun.node.profile import Profile, read_profile
from perun.node.recovery import open_books
from perun.node.settings import peer_id
from perun.store import SqliteStore, StoreDamaged, StoreFull, StoreReadOnly, StoreUnreachable
from perun.store.faults import fault_of

__all__ = ["CannotCopy", "NoStore", "back_up", "config_of", "open_copy", "require_store"]


@dataclass(eq=False)
class CannotCopy(StoreFault):
    """A store was not copied; there is no half copy left behind."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"


@dataclass(eq=False)
class NoStore(StoreFault):
    """A file is no store of this program, or is damaged."""

    path: str
    reason: str

    template: ClassVar[str] = "{path} is no store of this program ({reason})"
    hint: ClassVar[str] = "give the file of a node, or a backup of it"


def require_store(path: Path) -> None:
    """Looks whether a file is a store, without changing it: opening one would make it one.

    Raises:
        NoStore: it is not.
        StoreFault: it cannot be read at all.
    """
    with _reading(path):
        """That it can be read is all."""


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A store as one moment has it; nothing on its medium is changed.

    Raises:
        NoStore: it is none.
        StoreFault: it cannot be read at all.
    """
    with ExitStack() as stack:
        try:
            found = _open(path, stack)
        except (sqlite3.Error, OSError) as error:
            fault = fault_of(path, error)
            if isinstance(fault, StoreDamaged):
                raise NoStore(str(path), str(error)) from error
            raise fault from error
        yield found


def _open(path: Path, stack: ExitStack) -> sqlite3.Connection:
    if not os.access(path, os.R_OK):
        raise StoreUnreachable(str(path), "it may not be read, or is not there")
    try:
        return _looked_at(f"{path.resolve().as_uri()}?mode=ro", stack)
    except sqlite3.OperationalError as error:
        # SQLite needs a file beside a database in order to read it while others write, and cannot
        # make it on a medium that is read-only or full. Nobody writes then: bytes can be copied.
        fault = fault_of(path, error)
        if not isinstance(fault, StoreReadOnly | StoreFull) or _beside(path, "-shm").exists():
            raise
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "copy"
    for suffix in ("", "-wal"):
        if _beside(path, suffix).exists():
            shutil.copyfile(_beside(path, suffix), _beside(copy, suffix))
    return _looked_at(copy.as_uri(), stack)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _looked_at(uri: str, stack: ExitStack) -> sqlite3.Connection:
    found = stack.enter_context(closing(sqlite3.connect(uri, uri=True)))
    found.execute("SELECT count(*) FROM channels")
    return found


def back_up(store: Path, destination: Path) -> None:
    """Copies a store as one moment has it, also while its node writes.

    Raises:
        NoStore: it is none.
        CannotCopy: the destination exists or cannot be written.
    """
    with _reading(store) as source:
        try:
            handle = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CannotCopy(str(destination), error.strerror or "cannot be written") from error
        os.close(handle)
        try:
            with closing(sqlite3.connect(destination)) as target:
                source.backup(target)
        except BaseException as error:
            destination.unlink(missing_ok=True)
            if isinstance(error, sqlite3.Error):
                raise CannotCopy(str(destination), str(error)) from error
            raise


def open_copy(store: Path) -> tuple[Profile, Books]:
    """What a store knows, read from a copy that is thrown away.

    Raises:
        NoStore: it is none.
        StoreFault: it cannot be read at all, or there is no room for the copy.
        NoProfile: it does not say what it is about.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        back_up(store, copy)
        opened = SqliteStore(copy)
        try:
            profile = read_profile(opened)
            return profile, open_books(config_of(profile), opened)
        finally:
            opened.close()


def config_of(profile: Profile) -> Config:
    """What the core is told by a store alone; whoever has more to say says it elsewhere."""
    key = PublicKey(profile.key)
    identity = Identity(profile.account, key.address, peer_id(key))
    return Config(profile.deployment, identity, profile.own_limits, profile.seed)
