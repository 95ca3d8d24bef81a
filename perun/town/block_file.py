"""What the embedded chain keeps: one SQLite file, in which a block is wholly there, or not at all.

Beside the state, by py-evm's own keys, lie blocks, receipts and logs as JSON-RPC shows them, so
that reading them needs no machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from eth.db.backends.base import BaseDB

__all__ = ["BlockFile", "States"]

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS states (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash TEXT UNIQUE, shown BLOB);
CREATE TABLE IF NOT EXISTS receipts (
    hash TEXT PRIMARY KEY, sent BLOB NOT NULL, shown BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    number INTEGER, place INTEGER, address TEXT, topics TEXT, shown BLOB,
    PRIMARY KEY (number, place)
) WITHOUT ROWID;
"""


class BlockFile:
    """The file; one thread at a time."""

    def __init__(self, file: Path) -> None:
        """Opens it, or makes it. Raises `sqlite3.Error`."""
        self._file = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
        self.states = States(self._file)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    @contextmanager
    def block(self) -> Iterator[None]:
        """All that is written inside is there afterwards, or nothing of it."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def put_block(self, number: int, hash: str, shown: dict[str, Any]) -> None:
        """A block, as JSON-RPC shows it, with the hashes of its transactions."""
        self._put("INSERT INTO blocks VALUES (?, ?, ?)", number, hash, _packed(shown))

    def put_receipt(self, hash: str, sent: dict[str, Any], shown: dict[str, Any]) -> None:
        """A transaction and its receipt."""
        row = hash, _packed(sent), _packed(shown)
        self._put("INSERT INTO receipts VALUES (?, ?, ?)", *row)

    def put_log(self, number: int, place: int, shown: dict[str, Any]) -> None:
        """A log; `place` is its index in the block."""
        row = number, place, shown["address"], " ".join(shown["topics"]), _packed(shown)
        self._put("INSERT INTO logs VALUES (?, ?, ?, ?, ?)", *row)

    def block_of(self, which: int | str) -> dict[str, Any] | None:
        """By number or hash."""
        name = "number" if isinstance(which, int) else "hash"
        return self._one(f"SELECT shown FROM blocks WHERE {name} = ?", which)  # noqa: S608

    def sent(self, hash: str) -> dict[str, Any] | None:
        """A transaction that is in a block."""
        return self._one("SELECT sent FROM receipts WHERE hash = ?", hash)

    def receipt(self, hash: str) -> dict[str, Any] | None:
        """What became of it."""
        return self._one("SELECT shown FROM receipts WHERE hash = ?", hash)

    def logs(
        self,
        first: int,
        last: int,
        addresses: Sequence[str],
        topics: Sequence[Sequence[str] | None],
    ) -> list[dict[str, Any]]:
        """Logs of blocks, in order; no addresses: of all; a topic None: any."""
        rows = self._file.execute(
            "SELECT address, topics, shown FROM logs WHERE number BETWEEN ? AND ? "
            "ORDER BY number, place",
            (first, last),
        )
        return [
            msgspec.json.decode(shown)
            for address, found, shown in rows
            if (not addresses or address in addresses) and _fits(found.split(), topics)
        ]

    def _put(self, text: str, *row: object) -> None:
        self._file.execute(text, row)

    def _one(self, text: str, key: object) -> dict[str, Any] | None:
        row = self._file.execute(text, (key,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0])


class States(BaseDB):
    """The state, as py-evm reads and writes it."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def __getitem__(self, key: bytes) -> bytes:
        row = self._file.execute("SELECT value FROM states WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._file.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (key, value))

    def __delitem__(self, key: bytes) -> None:
        if not self._exists(key):
            raise KeyError(key)
        self._file.execute("DELETE FROM states WHERE key = ?", (key,))

    def _exists(self, key: bytes) -> bool:
        row = self._file.execute("SELECT 1 FROM states WHERE key = ?", (key,)).fetchone()
        return row is not None


def _packed(shown: dict[str, Any]) -> bytes:
    return msgspec.json.encode(shown)


def _fits(found: Sequence[str], wanted: Sequence[Sequence[str] | None]) -> bool:
    return len(found) >= len(wanted) and all(
        any_of is None or topic in any_of for topic, any_of in zip(found, wanted, strict=False)
    )
