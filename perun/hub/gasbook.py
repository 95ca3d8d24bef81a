"""What our transactions have cost, for good: one row for each that is in a final block.

The chain port tells of each once, and then forgets it. So it is on disk before this returns: in a
small file of its own, written by the chain's thread, which must not wait for a turn of the node.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from perun.chain.reports import Paid
from perun.errors import StoreFault
from perun.types import Record, Wei

__all__ = ["FILE_NAME", "Beginning", "Costs", "GasBook", "GasBookFailed", "read_costs"]

FILE_NAME: Final = "hub-gas.sqlite"
_SCHEMA: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE IF NOT EXISTS paid (hash BLOB PRIMARY KEY, block INTEGER NOT NULL, "
    "kind TEXT NOT NULL, key BLOB NOT NULL, succeeded INTEGER NOT NULL, gas INTEGER NOT NULL, "
    "wei TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS begun (block INTEGER NOT NULL, nonce INTEGER NOT NULL, "
    "wei TEXT NOT NULL)",
)


@dataclass(eq=False)
class GasBookFailed(StoreFault):
    """The file of costs cannot be read or written."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"


class Beginning(Record, frozen=True):
    """How the account stood when the book was new."""

    block: int
    nonce: int
    balance: Wei


class Costs(Record, frozen=True):
    """All that a book says."""

    begun: Beginning | None = None
    paid: tuple[Paid, ...] = ()


class GasBook:
    """Written by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Opens or creates the file. Raises `GasBookFailed`."""
        self._file = folder / FILE_NAME
        with _failing(self._file):
            self._db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
            for statement in _SCHEMA:
                self._db.execute(statement)

    @property
    def has_begun(self) -> bool:
        """Whether it is known how the account stood at first."""
        with _failing(self._file):
            return self._db.execute("SELECT 1 FROM begun").fetchone() is not None

    def begin(self, begun: Beginning) -> None:
        """How the account stands at first. Raises `GasBookFailed`."""
        row = (begun.block, begun.nonce, str(begun.balance))
        with _failing(self._file):
            self._db.execute("INSERT INTO begun VALUES (?, ?, ?)", row)

    def put(self, paid: Paid) -> None:
        """One more; the same again is the same. Raises `GasBookFailed`."""
        row = (paid.hash, paid.block, paid.kind, paid.key, paid.succeeded, paid.gas_used)
        with _failing(self._file):
            self._db.execute(
                "INSERT OR IGNORE INTO paid VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, str(paid.paid))
            )

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def read_costs(folder: Path) -> Costs:
    """All that is known, oldest first; also while somebody writes. Raises `GasBookFailed`."""
    file = folder / FILE_NAME
    if not file.exists():
        return Costs()
    with _failing(file), closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        begun = db.execute("SELECT block, nonce, wei FROM begun").fetchone()
        rows = db.execute(
            "SELECT key, hash, block, succeeded, gas, wei, kind FROM paid ORDER BY block"
        ).fetchall()
    paid = tuple(
        Paid(key, hash, block, bool(succeeded), gas, Wei(int(wei)), kind)
        for key, hash, block, succeeded, gas, wei, kind in rows
    )
    return Costs(None if begun is None else Beginning(begun[0], begun[1], Wei(int(begun[2]))), paid)


@contextmanager
def _failing(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise GasBookFailed(str(file), str(error)) from error
