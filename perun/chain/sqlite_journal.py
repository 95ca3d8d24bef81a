"""The journal of a process: a small SQLite file.

Beside the entries stands a tally of them, changed together with each: an entry that the disk has
lost whole would else let a deposit be made a second time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from perun.chain.journal import Entry, JournalFailed, packed, unpacked
from perun.types import Address

__all__ = ["SqliteJournal"]

_TALLY: Final = -1
"""Stands where a nonce would."""
_NOTHING: Final = bytes(12)
_PUT: Final = "INSERT OR REPLACE INTO transactions VALUES (?, ?, ?)"

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
        rows = self._rows()
        known = self._tally()
        if known is not None and known != _tally_of(rows):
            raise JournalFailed(self._path, f"other entries were written than the {len(rows)} here")
        try:
            return tuple(unpacked(self._account, nonce, kept) for nonce, kept in rows)
        except (ValueError, OverflowError) as error:
            raise JournalFailed(self._path, str(error)) from error

    def put(self, entry: Entry) -> None:
        """See `Journal`. Raises `StoreFault` unless it is on disk."""
        self._change(entry.nonce, packed(self._account, entry))

    def drop(self, nonce: int) -> None:
        """See `Journal`. Raises `StoreFault`."""
        self._change(nonce, None)

    def _change(self, nonce: int, kept: bytes | None) -> None:
        """An entry and the tally, or neither."""
        self._run("BEGIN IMMEDIATE")
        try:
            # A journal of before had none: then it is that of what is there.
            tally = self._tally() or _tally_of(self._rows())
            old = self._at(nonce)
            for gone in old:
                tally = _changed(tally, -1, nonce, gone)
            if kept is not None:
                tally = _changed(tally, 1, nonce, kept)
                self._run(_PUT, self._account, nonce, kept)
            elif old:
                sql = "DELETE FROM transactions WHERE account = ? AND nonce = ?"
                self._run(sql, self._account, nonce)
            self._run(_PUT, self._account, _TALLY, tally)
            self._run("COMMIT")
        except BaseException:
            with suppress(JournalFailed):
                self._run("ROLLBACK")
            raise

    def _rows(self) -> list[tuple[int, bytes]]:
        sql = "SELECT nonce, entry FROM transactions WHERE account = ? AND nonce <> ?"
        return self._run(sql, self._account, _TALLY)

    def _at(self, nonce: int) -> list[object]:
        sql = "SELECT entry FROM transactions WHERE account = ? AND nonce = ?"
        return [kept for (kept,) in self._run(sql, self._account, nonce)]

    def _tally(self) -> bytes | None:
        for found in self._at(_TALLY):
            if isinstance(found, bytes) and len(found) == len(_NOTHING):
                return found
            raise JournalFailed(self._path, "its tally is damaged")
        return None

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.close()

    def _run(self, sql: str, *values: object) -> list[Any]:
        assert self._db is not None
        try:
            with closing(self._db.execute(sql, values)) as cursor:
                return cursor.fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise JournalFailed(self._path, str(error)) from error


def _tally_of(rows: Iterable[tuple[int, bytes]]) -> bytes:
    """How many there are, and all their checksums in one, whatever their order."""
    tally = _NOTHING
    for nonce, kept in rows:
        tally = _changed(tally, 1, nonce, kept)
    return tally


def _changed(tally: bytes, by: int, nonce: int, kept: object) -> bytes:
    """With an entry more, or less."""
    count = int.from_bytes(tally[:8], "big", signed=True) + by
    total = int.from_bytes(tally[8:], "big") ^ crc32(repr((nonce, kept)).encode())
    return count.to_bytes(8, "big", signed=True) + total.to_bytes(4, "big")
