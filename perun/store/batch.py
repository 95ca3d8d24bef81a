"""The rows of one commit: encoded, each with its checksum, and put where they live."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final
from zlib import crc32

from perun.core.books import Row, key_of, row_key
from perun.core.state import StoreMark, Totals
from perun.encoding.records import NumberedExtra
from perun.store.database import Database
from perun.store.tables import TABLES, Table, sum_of

__all__ = ["Batch", "Places", "read_all"]

_PAYMENTS: Final = TABLES[Totals]
_number: Final[Callable[[Row], int]] = attrgetter("number")


class Places:
    """Where each row lives, and of the core's rows the checksum."""

    def __init__(self, db: Database, tables: Mapping[type, Table]) -> None:
        """Of an open database; whoever reads the rows fills in `numbers` and `sums`."""
        self.tables = tables
        self.numbers: dict[type, dict[bytes, int]] = {kind: {} for kind in tables}
        self.sums: dict[type, dict[int, int]] = {kind: {} for kind in TABLES}
        self._next = {
            kind: int(db.execute(table.highest).fetchone()[0] or 0) + 1
            for kind, table in tables.items()
        }

    def number(self, kind: type, key: bytes) -> int:
        """Where a row lives, or is going to."""
        if self.tables[kind].numbered:
            return int.from_bytes(key, "big")
        numbers = self.numbers[kind]
        number = numbers.get(key)
        if number is None:
            number = self._next[kind]
            self._next[kind] = number + 1
            numbers[key] = number
        return number

    def total(self) -> int:
        """Sum of all checksums of the core's rows."""
        return sum(sum(sums.values()) for sums in self.sums.values())


def read_all(db: Database, tables: Mapping[type, Table]) -> tuple[list[Row], Places]:
    """All rows but numbered ones, and where each lives.

    Raises:
        CorruptRow: one is not as it was written.
    """
    rows: list[Row] = []
    places = Places(db, tables)
    for kind, table in tables.items():
        if table.numbered:
            continue
        numbers, sums = places.numbers[kind], places.sums.get(kind)
        for number, stored in db.execute(table.select):
            row = table.decode(number, stored)
            numbers[row_key(row)] = number
            if sums is not None:
                sums[number] = sum_of(stored)
            rows.append(row)
    return rows, places


class Batch:
    """What one commit changes; nothing in memory counts before `done`."""

    def __init__(self, places: Places, rows: Iterable[Row], drops: Iterable[Row]) -> None:
        """Encodes everything."""
        self._places = places
        # For each kind the values of its rows, one after the other: number, body, number, body …
        self._values: dict[type, list[int | bytes]] = {}
        self._sums: dict[type, dict[int, int]] = {}
        self._gone: list[tuple[type, bytes, int]] = []
        self._encode(rows)
        self._leave_out(drops)
        self.marked = StoreMark in self._values
        """Whether the store is exit only from now on."""

    def _encode(self, rows: Iterable[Row]) -> None:
        payments: list[int | bytes] = []
        sums: dict[int, int] = {}
        encode, seed = _PAYMENTS.codec.encode, _PAYMENTS.seed
        others: dict[type, list[Row]] = {}
        known, number_of = self._places.numbers[Totals].get, self._places.number
        for row in rows:
            if type(row) is Totals:
                key = row.machine
                number = known(key) or number_of(Totals, key)
                body = encode(row)
                sums[number] = check = crc32(body, seed)
                payments += (number, body + check.to_bytes(4, "big"))
            elif type(row) in others:
                others[type(row)].append(row)
            else:
                others[type(row)] = [row]
        if payments:
            self._values[Totals], self._sums[Totals] = payments, sums
        for kind, listed in others.items():
            self._encode_newest(kind, listed)

    def _encode_newest(self, kind: type, rows: list[Row]) -> None:
        """Several steps of one batch may have written the same channel: its last version is what
        counts, and is the only one that is encoded. A payment's record is never left out."""
        table, numbers = self._places.tables[kind], self._places.numbers[kind]
        encode, seed = table.codec.encode, table.seed
        if table.numbered:
            newest = {_number(row): row for row in rows}
        else:
            key, number_of = key_of(kind), self._places.number
            keyed = {key(row): row for row in rows}
            newest = {numbers.get(at) or number_of(kind, at): row for at, row in keyed.items()}
        values: list[int | bytes] = []
        sums: dict[int, int] = {}
        for number, row in newest.items():
            body = encode(row)
            sums[number] = check = crc32(body, seed)
            values += (number, body + check.to_bytes(4, "big"))
        self._values[kind] = values
        if kind in TABLES:
            self._sums[kind] = sums

    def _leave_out(self, drops: Iterable[Row]) -> None:
        for row in drops:
            kind, key = type(row), row_key(row)
            if isinstance(row, NumberedExtra):
                self._gone.append((kind, key, row.number))
                continue
            number = self._places.numbers[kind].get(key)
            if number is not None:
                self._gone.append((kind, key, number))
                if kind in TABLES:
                    self._sums.setdefault(kind, {})[number] = 0

    @property
    def change(self) -> int:
        """By how much the sum of all checksums rises."""
        change = 0
        for kind, sums in self._sums.items():
            before = self._places.sums[kind].get
            change += sum(sums.values()) - sum([before(number, 0) for number in sums])
        return change

    def puts(self) -> Iterator[tuple[Table, list[int | bytes]]]:
        """What is written into each table: number, body, number, body …"""
        for kind, values in self._values.items():
            yield self._places.tables[kind], values

    def drops(self) -> Iterator[tuple[Table, int]]:
        """What is taken out."""
        for kind, _, number in self._gone:
            yield self._places.tables[kind], number

    def execute(self, db: sqlite3.Connection) -> None:
        """Within a transaction of SQLite's."""
        for table, values in self.puts():
            _insert(db, table, values)
        for table, number in self.drops():
            db.execute(table.delete, (number,))

    def done(self) -> None:
        """After the commit."""
        for kind, sums in self._sums.items():
            self._places.sums[kind].update(sums)
        for kind, key, number in self._gone:
            self._places.numbers[kind].pop(key, None)
            if kind in TABLES:
                self._places.sums[kind].pop(number, None)


def _insert(db: sqlite3.Connection, table: Table, values: list[int | bytes]) -> None:
    start = 0
    for count, statement in table.inserts:
        while len(values) - start >= 2 * count:
            db.execute(statement, values[start : start + 2 * count])
            start += 2 * count
