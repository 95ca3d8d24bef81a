"""The store: one SQLite file, write-ahead log, full synchronisation, one transaction per batch.

`write` returns when the rows are on disk: one `fdatasync` however many channels the batch is about.
Rows are overwritten in place, so old statements do not pile up.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from perun.core.books import Row, row_key
from perun.core.state import StoreMark, Totals
from perun.encoding.records import Extra, NumberedExtra
from perun.store import seal
from perun.store.faults import StoreDamaged, StoreTooNew, WriteFailed
from perun.store.lock import StoreLock
from perun.store.migrations import MIGRATIONS
from perun.store.tables import TABLES, Table, table_of

__all__ = ["SqliteStore"]

N = TypeVar("N", bound=NumberedExtra)

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # 16 MB of log between checkpoints: each costs two more fsyncs and rewrites changed pages.
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
)


class SqliteStore:
    """Open from construction to `close`; used by one thread at a time."""

    def __init__(self, path: Path | str, extras: Sequence[type[Extra]] = ()) -> None:
        """Opens or creates a store.

        Args:
            extras: kinds of records of the program above the node; others stay where they are.

        Raises:
            StoreInUse: another process has it open.
            StoreTooNew: a newer program wrote it.
            StoreDamaged: it is no store, or not as it was written.
        """
        # Lock and seal lie beside the file itself, by whatever other name it is opened.
        self.path = Path(path).resolve()
        self._tables = {**TABLES, **{kind: table_of(kind) for kind in extras}}
        self._lock = StoreLock(self.path)
        try:
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        except BaseException:
            self._lock.release()
            raise
        try:
            with self._readable():
                self._open()
        except BaseException:
            self._db.close()
            self._lock.release()
            raise

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """What a damaged file makes of a read, as a `StoreDamaged`."""
        try:
            yield
        except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
            raise StoreDamaged(str(self.path), str(error)) from error

    def _open(self) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        self._migrate()
        for kind, table in self._tables.items():
            if kind not in TABLES:
                self._db.execute(table.create)
        self._numbers: dict[type, dict[bytes, int]] = {kind: {} for kind in self._tables}
        self._read = False
        self._next = {kind: self._highest(kind) + 1 for kind in self._tables}
        self._count = int.from_bytes(self.get("count") or b"", "big")
        original = seal.check_and_renew(self.path, self) and self._count >= self._lock.count
        if not original:
            self.put("exit only", b"a copy, or put back from a backup")
        self._exit_only = self.get("exit only") is not None

    def _migrate(self) -> None:
        found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if found < 0:
            raise StoreDamaged(str(self.path), f"schema {found}")
        if found > len(MIGRATIONS):
            raise StoreTooNew(str(self.path), found, len(MIGRATIONS))
        for version in range(found, len(MIGRATIONS)):
            self._db.execute("BEGIN IMMEDIATE")
            for statement in MIGRATIONS[version]:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {version + 1}")
            self._db.execute("COMMIT")

    def _highest(self, kind: type) -> int:
        name = self._tables[kind].name
        row = self._db.execute(f"SELECT max(row) FROM {name}").fetchone()  # noqa: S608
        return int(row[0] or 0)

    # ------------------------------------------------------------------------------- small values

    def get(self, name: str) -> bytes | None:
        """A small value about the store itself."""
        with self._readable():
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            return None if row is None else bytes(row[0])

    def put(self, name: str, value: bytes) -> None:
        """Keeps a small value about the store itself; on disk when it returns."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # ----------------------------------------------------------------------------------- records

    @property
    def exit_only(self) -> bool:
        """Restored or copied: nothing new may be signed (protocol, section 5, Store)."""
        return self._exit_only

    def records(self) -> Iterable[Row]:
        """All rows but numbered ones; also learns where each lives, which `write` wants to know.

        Raises:
            StoreDamaged, CorruptRow: the file is not as it was written.
        """
        rows: list[Row] = []
        self._read = True
        with self._readable():
            for kind, table in self._tables.items():
                if table.numbered:
                    continue
                for number, body in self._db.execute(table.select):
                    row = table.codec.decode(body)
                    self._numbers[kind][row_key(row)] = number
                    rows.append(row)
        return rows

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        name = self._tables[kind].name
        with self._readable():
            row = self._db.execute(f"SELECT min(row), max(row) FROM {name}").fetchone()  # noqa: S608
        return (1, 0) if row[0] is None else (int(row[0]), int(row[1]))

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        table = self._tables[kind]
        with self._readable():
            found = self._db.execute(table.some, (after, most)).fetchall()
            return [table.codec.decode(body) for _, body in found]

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All of these or none; on disk when it returns.

        Raises:
            WriteFailed: not known to be on disk; the node must stop.
        """
        if not self._read:
            self.records()
        # For each kind the values of its rows, one after the other: number, body, number, body …
        payments: list[int | bytes] = []
        batches: dict[type, list[int | bytes]] = {Totals: payments}
        encode = TABLES[Totals].codec.encode
        # Several steps of one batch may have written the same channel: its last version is what
        # counts, and is the only one that is encoded. A payment's record is never left out.
        newest: dict[type, dict[int, Row]] = {}
        for row in rows:
            kind = type(row)
            number = self._number(kind, row_key(row))
            if kind is Totals:
                payments += (number, encode(row))
                continue
            if kind not in newest:
                newest[kind] = {}
            newest[kind][number] = row
        for kind, found in newest.items():
            encode = self._tables[kind].codec.encode
            batches[kind] = [
                part for number, row in found.items() for part in (number, encode(row))
            ]
        count = self._count + 1
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for kind, batch in batches.items():
                self._insert(self._tables[kind], batch)
            for row in drops:
                known = self._dropped(row)
                if known is not None:
                    self._db.execute(self._tables[type(row)].delete, (known,))
            self.put("count", count.to_bytes(8, "big"))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise WriteFailed(str(self.path), str(error)) from error
        self._exit_only = self._exit_only or StoreMark in newest
        self._count = count
        self._lock.note(count)

    def _insert(self, table: Table, values: list[int | bytes]) -> None:
        start = 0
        for count, statement in table.inserts:
            while len(values) - start >= 2 * count:
                self._db.execute(statement, values[start : start + 2 * count])
                start += 2 * count

    def _dropped(self, row: Row) -> int | None:
        if isinstance(row, NumberedExtra):
            return row.number
        return self._numbers[type(row)].pop(row_key(row), None)

    def _number(self, kind: type, key: bytes) -> int:
        if self._tables[kind].numbered:
            return int.from_bytes(key, "big")
        numbers = self._numbers[kind]
        number = numbers.get(key)
        if number is None:
            number = self._next[kind]
            self._next[kind] = number + 1
            numbers[key] = number
        return number

    # ---------------------------------------------------------------------------------- keeping

    def backup(self, destination: Path | str) -> None:
        """A copy of everything as it stands; it opens exit only, wherever it is put."""
        # Nobody else may read it from its first byte on: it holds the seed.
        os.close(os.open(destination, os.O_CREAT | os.O_WRONLY, 0o600))
        os.chmod(destination, 0o600)
        target = sqlite3.connect(destination)
        try:
            self._db.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        """Closes the file and lets the lock go."""
        self._db.close()
        self._lock.release()
