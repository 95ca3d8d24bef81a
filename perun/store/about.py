"""What a database knows about itself: small values, and a tally of all that was written.

The tally is one value, written with every commit: how many there were, and the sum of all checksums
of the core's rows and of the other small values. A row that a disk has lost, or has kept in an
older version, carries a good checksum or none at all; the sum tells.

The tally also shows that nobody else writes: each commit replaces the one that the last commit of
ours has left, and changes nothing if that is not there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from perun.store.database import Database
from perun.store.faults import StoreDamaged, StoreTaken, StoreTooNew
from perun.store.migrations import MIGRATIONS
from perun.store.tables import TABLES, checked, seed_of, sum_of, unchecked

__all__ = ["ADVANCE", "PUT", "About", "bring_up", "first_tally"]

_TALLY: Final = "tally"
_TALLY_SEED: Final = seed_of(f"meta {_TALLY}")
_SUMS: Final = (1 << 64) - 1
ADVANCE: Final = "UPDATE meta SET value = ? WHERE name = 'tally' AND value = ?"
"""Puts the next tally in the place of the last one."""
PUT: Final = (
    "INSERT INTO meta (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def bring_up(db: sqlite3.Connection, path: Path) -> None:
    """Creates the tables, or brings those of an older program up to date.

    Raises:
        StoreTooNew: a newer program wrote them.
        StoreDamaged: no program did.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found < 0:
        raise StoreDamaged(str(path), f"schema {found}")
    if found > len(MIGRATIONS):
        raise StoreTooNew(str(path), found, len(MIGRATIONS))
    if found == len(MIGRATIONS):
        return
    db.create_function("checked", 2, _checked_once)
    db.create_function("one_kind", 3, _one_kind)
    db.create_function("recorded", 3, _recorded)
    db.execute("BEGIN IMMEDIATE")
    for migration in MIGRATIONS[found:]:
        for statement in migration:
            db.execute(statement)
    # Until schema 3 the count was a small value like others.
    older = db.execute("SELECT value FROM meta WHERE name IN ('count', ?)", (_TALLY,)).fetchone()
    db.execute("DELETE FROM meta WHERE name IN ('count', ?)", (_TALLY,))
    total = 0
    for column, name in (("value", "meta"), *(("body", table.name) for table in TABLES.values())):
        stored = db.execute(f"SELECT {column} FROM {name}")  # noqa: S608
        total += sum(sum_of(body) for (body,) in stored)
    count = 0 if older is None else int.from_bytes(older[0][:8], "big")
    db.execute("INSERT INTO meta VALUES (?, ?)", (_TALLY, _tally(count, total)))
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    db.execute("COMMIT")


def _checked_once(name: str, body: bytes) -> bytes:
    """What is stored for a body, which may be that already."""
    seed = seed_of(name)
    return body if unchecked(body, seed) is not None else checked(bytes(body), seed)


def _one_kind(name: str, at: int, stored: bytes) -> bytes:
    """A row whose terms stood in two places, of which one was empty."""

    def join(row: Any) -> None:
        machine, lock = row[at : at + 2]
        row[at : at + 2] = [None if machine is lock else [1, *machine] if machine else [2, *lock]]

    return _changed(name, stored, join)


def _recorded(name: str, at: int, stored: bytes) -> bytes:
    """A row with totals, a deadline and a preimage in one place, all empty or those of a kind."""

    def sort(row: Any) -> None:
        alice, bob, deadline, preimage = row[at]
        machine = [1, alice, bob, deadline] if deadline else None
        row[at] = machine if preimage is None else [2, preimage]

    return _changed(name, stored, sort)


def _changed(name: str, stored: bytes, change: Callable[[Any], None]) -> bytes:
    """A changed row; if it cannot be changed as it was: what cannot be read is said when it is
    read."""
    seed = seed_of(name)
    body = unchecked(stored, seed)
    try:
        row: Any = msgspec.msgpack.decode(body) if body is not None else None
        change(row)
    except (msgspec.DecodeError, TypeError, ValueError, IndexError):
        return stored
    return checked(msgspec.msgpack.encode(row), seed)


def first_tally(count: int = 0, total: int = 0) -> bytes:
    """What a database of so many commits, whose checksums make `total`, says of itself."""
    return _tally(count, total)


def _tally(count: int, total: int) -> bytes:
    return checked((count << 64 | total & _SUMS).to_bytes(16, "big"), _TALLY_SEED)


class About:
    """The small values of an open database, kept in memory too."""

    def __init__(self, db: Database, path: Path | str) -> None:
        """Reads them.

        Raises:
            StoreDamaged: one is not as it was written, or the tally is missing.
        """
        self._db = db
        self._path = path
        self._values: dict[str, bytes] = {}
        tally = None
        for name, stored in db.execute("SELECT name, value FROM meta"):
            value = unchecked(stored, seed_of(f"meta {name}"))
            if value is None:
                raise StoreDamaged(str(path), f"{name!r}: its checksum is another")
            if name == _TALLY:
                tally = stored
            else:
                self._values[name] = value
        if tally is None:
            raise StoreDamaged(str(path), "it does not say what was written last")
        self._stored: bytes = tally
        self.count = int.from_bytes(tally[:8], "big")
        """Commits so far."""
        self.total = int.from_bytes(tally[8:16], "big")
        """Sum of all checksums, modulo 2**64."""

    def get(self, name: str) -> bytes | None:
        """What was put."""
        return self._values.get(name)

    def agrees(self, total: int) -> bool:
        """Whether the core's rows, whose checksums make `total`, are those written last."""
        small = (sum_of(checked(v, seed_of(f"meta {n}"))) for n, v in self._values.items())
        return (total + sum(small)) & _SUMS == self.total

    def stored(self, name: str, value: bytes) -> tuple[str, bytes]:
        """The row of a value, for `PUT`."""
        return name, checked(value, seed_of(f"meta {name}"))

    def put(self, name: str, value: bytes) -> None:
        """Within a transaction: keeps a value; `keep` takes it over after the commit."""
        self._db.execute(PUT, self.stored(name, value))

    def change(self, name: str, value: bytes) -> int:
        """By how much the sum rises if a value is put."""
        seed = seed_of(f"meta {name}")
        before = self._values.get(name)
        return sum_of(checked(value, seed)) - (
            0 if before is None else sum_of(checked(before, seed))
        )

    def keep(self, name: str, value: bytes) -> None:
        """After the commit."""
        self._values[name] = value

    def coming(self, commits: int, change: int) -> tuple[bytes, bytes]:
        """The next tally and the one that it replaces, for `ADVANCE`."""
        return _tally(self.count + commits, self.total + change), self._stored

    def advance(self, commits: int, change: int) -> bytes:
        """Within a transaction, last: the next tally; `advanced` takes it over after the commit.

        Raises:
            StoreTaken: somebody else has written since our last commit.
        """
        coming, last = self.coming(commits, change)
        done = self._db.execute(ADVANCE, (coming, last))
        if done.rowcount != 1:
            raise StoreTaken(str(self._path))
        return coming

    def advanced(self, tally: bytes) -> None:
        """After the commit."""
        self._stored = tally
        self.count = int.from_bytes(tally[:8], "big")
        self.total = int.from_bytes(tally[8:16], "big")
