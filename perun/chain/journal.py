"""What we have sent and under which nonce: on disk before it leaves, so that a restart goes on.

Without it a restarted process would not know that its deposit is under way, and send it twice.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol

import msgspec

from perun.bindings.calls import Call, Fees
from perun.chain.wishes import Wish
from perun.errors import StoreFault
from perun.types import Address, Record

__all__ = ["Attempt", "Entry", "Journal", "JournalFailed", "MemoryJournal", "SqliteJournal"]


@dataclass(eq=False)
class JournalFailed(StoreFault):
    """The file of sent transactions cannot be read or written; nothing was sent."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"


class Attempt(Record, frozen=True, gc=False, array_like=True):
    """One signed transaction."""

    hash: bytes
    raw: bytes
    fees: Fees
    call: Call


class Entry(Record, frozen=True, gc=False, array_like=True):
    """One nonce of ours: every transaction that was ever signed under it, any of which may mine."""

    nonce: int
    wish: Wish
    attempts: tuple[Attempt, ...]
    done: bool = False
    """Seen in a final block. Kept while asking again for the wish could send it a second time."""


class Journal(Protocol):
    """Entries of one account by nonce."""

    def load(self) -> Iterable[Entry]:
        """All of them, in no order."""

    def put(self, entry: Entry) -> None:
        """Durable when it returns; replaces the entry of the same nonce."""

    def drop(self, nonce: int) -> None:
        """Forgets one."""


class MemoryJournal:
    """For chains that end with the process."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}

    def load(self) -> Iterable[Entry]:
        """See `Journal`."""
        return tuple(self._entries.values())

    def put(self, entry: Entry) -> None:
        """See `Journal`."""
        self._entries[entry.nonce] = entry

    def drop(self, nonce: int) -> None:
        """See `Journal`."""
        self._entries.pop(nonce, None)


_PATIENCE: Final = 60
"""Seconds that SQLite waits for another program which holds the file, such as a backup tool."""


class SqliteJournal:
    """A small SQLite file beside the node's store; used by the chain's thread alone."""

    _SCHEMA = (
        "CREATE TABLE IF NOT EXISTS transactions "
        "(account BLOB NOT NULL, nonce INTEGER NOT NULL, entry BLOB NOT NULL, "
        "PRIMARY KEY (account, nonce)) WITHOUT ROWID"
    )

    def __init__(self, path: str | Path, account: Address) -> None:
        """Opens or creates the file.

        Raises:
            StoreFault: it is no such file, or cannot be written.
        """
        self._account = account
        self._db: sqlite3.Connection | None = None
        try:
            # What is not sent yet is nobody else's to read. A file that is there may be a store
            # which this process has open: to open and close it here would undo SQLite's locks on
            # it (sqlite.org/howtocorrupt.html, 2.2), and whoever looks at it would take its log.
            if not os.path.exists(path):
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            db = self._db = sqlite3.connect(
                path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None
            )
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(self._SCHEMA)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise JournalFailed(str(path), str(error)) from error
        self._path = str(path)

    def load(self) -> Iterable[Entry]:
        """See `Journal`. Raises `StoreFault` for a file that is damaged."""
        rows = self._run("SELECT entry FROM transactions WHERE account = ?", self._account)
        try:
            return tuple(msgspec.json.decode(row[0], type=Entry) for row in rows)
        except msgspec.MsgspecError as error:
            raise JournalFailed(self._path, str(error)) from error

    def put(self, entry: Entry) -> None:
        """See `Journal`. Raises `StoreFault` unless it is on disk."""
        self._run(
            "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?)",
            self._account,
            entry.nonce,
            msgspec.json.encode(entry),
        )

    def drop(self, nonce: int) -> None:
        """See `Journal`. Raises `StoreFault`."""
        self._run("DELETE FROM transactions WHERE account = ? AND nonce = ?", self._account, nonce)

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.close()

    def _run(self, sql: str, *values: object) -> list[tuple[bytes]]:
        assert self._db is not None
        try:
            with closing(self._db.execute(sql, values)) as cursor:
                return cursor.fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise JournalFailed(self._path, str(error)) from error
