"""The journal of a process: a small SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from perun.chain.journal import Entry, JournalFailed, packed, unpacked
from perun.types import Address

__all__ = ["SqliteJournal"]

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
        rows = self._run("SELECT nonce, entry FROM transactions WHERE account = ?", self._account)
        try:
            return tuple(unpacked(self._account, nonce, kept) for nonce, kept in rows)
        except (ValueError, OverflowError) as error:
            raise JournalFailed(self._path, str(error)) from error

    def put(self, entry: Entry) -> None:
        """See `Journal`. Raises `StoreFault` unless it is on disk."""
        self._run(
            "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?)",
            self._account,
            entry.nonce,
            packed(self._account, entry),
        )

    def drop(self, nonce: int) -> None:
        """See `Journal`. Raises `StoreFault`."""
        self._run("DELETE FROM transactions WHERE account = ? AND nonce = ?", self._account, nonce)

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.close()

    def _run(self, sql: str, *values: object) -> list[tuple[int, bytes]]:
        assert self._db is not None
        try:
            with closing(self._db.execute(sql, values)) as cursor:
                return cursor.fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise JournalFailed(self._path, str(error)) from error
