"""Copies of a store: made while its node runs, opened without disturbing it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
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
from perun.store import SqliteStore

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
    """
    try:
        with closing(_read_only(path)) as found:
            found.execute("SELECT count(*) FROM channels")
    except sqlite3.Error as error:
        raise NoStore(str(path), str(error)) from error


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def back_up(store: Path, destination: Path) -> None:
    """Copies a store as one moment has it, also while its node writes.

    Raises:
        NoStore: it is none.
        CannotCopy: the destination exists or cannot be written.
    """
    require_store(store)
    try:
        handle = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CannotCopy(str(destination), error.strerror or "cannot be written") from error
    os.close(handle)
    try:
        with (
            closing(_read_only(store)) as source,
            closing(sqlite3.connect(destination)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        destination.unlink(missing_ok=True)
        raise CannotCopy(str(store), str(error)) from error


def open_copy(store: Path) -> tuple[Profile, Books]:
    """What a store knows, read from a copy that is thrown away.

    Raises:
        NoStore: it is none.
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
