"""Everything that a store holds, as the bytes that both engines keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from perun.store.about import PUT, first_tally
from perun.store.database import Database
from perun.store.faults import StoreDamaged
from perun.store.tables import TABLES, checked, seed_of, sum_of, unchecked
from perun.types import Record

__all__ = ["Dump", "fill", "take"]

_TALLY: Final = "tally"
_OWN: Final = frozenset({_TALLY, "seal", "next seal", "place", "unfinished"})
"""Small values that are about one file or database, not about what it holds."""
_CORES: Final = frozenset(table.name for table in TABLES.values())


class Dump(Record, frozen=True):
    """As one moment has it."""

    tables: dict[str, list[tuple[int, bytes]]]
    """Rows by table: numbers, and bodies with their checksums."""
    values: dict[str, bytes]
    count: int
    """Writes in the store's life."""


def take(db: Database, names: Iterable[str], where: str) -> Dump:
    """Everything, within a transaction of the caller's.

    Raises:
        StoreDamaged: a small value is not as it was written.
    """
    stored = {str(name): bytes(value) for name, value in db.execute("SELECT name, value FROM meta")}
    values = {name: _value(name, kept, where) for name, kept in stored.items()}
    if _TALLY not in values:
        raise StoreDamaged(where, "it does not say what was written last")
    return Dump(
        {
            name: [(int(number), bytes(body)) for number, body in _rows(db, name)]
            for name in sorted(names)
        },
        {name: value for name, value in values.items() if name not in _OWN},
        int.from_bytes(values[_TALLY][:8], "big"),
    )


def _value(name: str, stored: bytes, where: str) -> bytes:
    value = unchecked(stored, seed_of(f"meta {name}"))
    if value is None:
        raise StoreDamaged(where, f"{name!r}: its checksum is another")
    return value


def _rows(db: Database, name: str) -> Iterable[Any]:
    return db.execute(f"SELECT row, body FROM {name}")  # noqa: S608


def fill(db: Database, dump: Dump, create: str) -> None:
    """Puts a dump in the place of whatever rows there are, within a transaction of the caller's.

    Args:
        create: statement that makes a table of rows, with `{name}` in it.
    """
    for name, rows in dump.tables.items():
        db.execute(create.format(name=name))
        db.execute(f"DELETE FROM {name}")  # noqa: S608
        for row in rows:
            db.execute(f"INSERT INTO {name} (row, body) VALUES (?, ?)", row)  # noqa: S608
    for name, value in dump.values.items():
        db.execute(PUT, (name, checked(value, seed_of(f"meta {name}"))))
    small = [
        sum_of(bytes(stored))
        for name, stored in db.execute("SELECT name, value FROM meta").fetchall()
        if name != _TALLY
    ]
    cores = sum(
        sum_of(body) for name, rows in dump.tables.items() if name in _CORES for _, body in rows
    )
    db.execute(PUT, (_TALLY, first_tally(dump.count, cores + sum(small))))
