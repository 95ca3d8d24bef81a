"""What our transactions have cost, for good: one row for each that is in a final block.

The chain port tells of each once, and then forgets it. So it is on disk before this returns: in a
small file of its own, written by the chain's thread, which must not wait for a turn of the node.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from perun.chain.reports import Paid
from perun.errors import StoreFault
from perun.types import Wei

__all__ = ["FILE_NAME", "GasBook", "GasBookFailed", "spent_in"]

FILE_NAME: Final = "hub-gas.sqlite"
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS paid (hash BLOB PRIMARY KEY, block INTEGER NOT NULL, "
    "kind TEXT NOT NULL, key BLOB NOT NULL, succeeded INTEGER NOT NULL, gas INTEGER NOT NULL, "
    "wei TEXT NOT NULL) WITHOUT ROWID"
)


class GasBookFailed(StoreFault):
    """The file of costs cannot be read or written."""

    template = "the file of costs: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GasBook:
    """Written by one thread."""

    def __init__(self, folder: Path) -> None:
        """Opens or creates the file. Raises `GasBookFailed`."""
        try:
            self._db = sqlite3.connect(
                folder / FILE_NAME, check_same_thread=False, isolation_level=None
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_TABLE)
        except sqlite3.Error as error:
            raise GasBookFailed(str(error)) from error

    def put(self, paid: Paid) -> None:
        """One more; the same again is the same. Raises `GasBookFailed`."""
        row = (paid.hash, paid.block, paid.kind, paid.key, paid.succeeded, paid.gas_used)
        try:
            self._db.execute(
                "INSERT OR IGNORE INTO paid VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, str(paid.paid))
            )
        except sqlite3.Error as error:
            raise GasBookFailed(str(error)) from error

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def spent_in(folder: Path) -> Iterator[Paid]:
    """All of them, oldest first; also while somebody writes. Raises `GasBookFailed`."""
    file = folder / FILE_NAME
    if not file.exists():
        return
    try:
        db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            rows = db.execute(
                "SELECT key, hash, block, succeeded, gas, wei, kind FROM paid ORDER BY block"
            ).fetchall()
        finally:
            db.close()
    except sqlite3.Error as error:
        raise GasBookFailed(str(error)) from error
    for key, hash, block, succeeded, gas, wei, kind in rows:
        yield Paid(key, hash, block, bool(succeeded), gas, Wei(int(wei)), kind)
