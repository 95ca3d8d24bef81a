"""The store: one SQLite file, write-ahead log, full synchronisation, one transaction per batch.

`write` returns when the rows are on disk: one `fdatasync` however many channels the batch is about.
Rows are overwritten in place, so old statements do not pile up.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from perun.core.books import Row
from perun.encoding.records import Extra, NumberedExtra
from perun.store import seal
from perun.store.about import About, bring_up
from perun.store.batch import Batch, Places, read_all
from perun.store.count import Count
from perun.store.dumps import Dump, fill, take
from perun.store.faults import (
    AnotherName,
    StoreDamaged,
    StoreForked,
    StoreLocked,
    fault_of,
    is_locked,
)
from perun.store.lock import StoreLock
from perun.store.migrations import MIGRATIONS
from perun.store.tables import TABLES, table_of

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

_PATIENCE: Final = 10
"""Seconds that SQLite waits for another program, before somebody is told."""


_LONGEST: Final = 60
"""Seconds that a write waits if nobody is told that it does."""


class SqliteStore:
    """Open from construction to `close`; used by one thread at a time, of one process."""

    def __init__(
        self,
        path: Path | str,
        extras: Sequence[type[Extra]] = (),
        *,
        waiting: Callable[[StoreLocked], None] | None = None,
    ) -> None:
        """Opens or creates a store.

        Args:
            extras: kinds of records of the program above the node; others stay where they are.
            waiting: told every ten seconds that a write waits for another program, which holds the
                database; it goes on as soon as that lets go. If nobody is told it ends after a
                minute, with `StoreLocked`.

        Raises:
            StoreInUse: another process has it open.
            StoreTooNew: a newer program wrote it.
            StoreDamaged: it is no store, or not as it was written.
            AnotherName: it is a hard link to a store.
            StoreLocked: another program holds its database.
            StoreFull, StoreReadOnly, StoreUnreachable: the medium does not let us; nothing is lost.
        """
        # Lock and seal lie beside the file itself, by whatever other name it is opened.
        self.path = Path(path).resolve()
        self._waiting = waiting
        self._tables = {**TABLES, **{kind: table_of(kind) for kind in extras}}
        self._lock = StoreLock(self.path)
        try:
            with self._faults():
                self._count = Count(self.path)
                self._db = sqlite3.connect(
                    self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
                )
        except BaseException:
            self._lock.release()
            raise
        try:
            with self._faults():
                self._open()
        except BaseException:
            self._db.close()
            self._count.close()
            self._lock.release()
            raise

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What goes wrong inside, as a typed fault."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise fault_of(self.path, error) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreDamaged(str(self.path), str(error)) from error

    def _open(self) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        self._refuse_another_name()
        bring_up(self._db, self.path)
        self._about = About(self._db, self.path)
        for kind, table in self._tables.items():
            if kind not in TABLES:
                self._db.execute(table.create)
        self._places = Places(self._db, self._tables)
        self._read = False
        seen = max(self._count.seen, self._lock.older_count)
        original = seal.check_and_renew(self.path, self) and self._about.count >= seen
        if not original:
            self.put("exit only", b"a copy, or put back from a backup")
        self._exit_only = self.get("exit only") is not None
        place = os.fsencode(self.path)
        if self.get("place") != place:
            self.put("place", place)
        self._count.begin(max(self._about.count, seen))

    def _refuse_another_name(self) -> None:
        """Before anything is written: the original has the same pages."""
        if self.path.stat().st_nlink < 2:
            return
        if int(self._db.execute("PRAGMA user_version").fetchone()[0]) != len(MIGRATIONS):
            return
        place = About(self._db, self.path).get("place")
        named = self.path if place is None else Path(os.fsdecode(place))
        if named != self.path and named.exists() and named.samefile(self.path):
            raise AnotherName(str(self.path), str(named))

    def _require_opener(self) -> None:
        """A child that inherited the connection must not use it (sqlite.org/howtocorrupt, 2.6)."""
        here = os.getpid()
        if here != self._lock.opener:
            raise StoreForked(str(self.path), self._lock.opener, here)

    # ------------------------------------------------------------------------------- small values

    def get(self, name: str) -> bytes | None:
        """A small value about the store itself."""
        return self._about.get(name)

    def put(self, name: str, value: bytes) -> None:
        """Keeps a small value about the store itself; on disk when it returns."""
        change = self._about.change(name, value)
        self._commit(0, change, lambda _: self._about.put(name, value))
        self._about.keep(name, value)

    # ----------------------------------------------------------------------------------- records

    @property
    def exit_only(self) -> bool:
        """Restored or copied: nothing new may be signed (protocol, section 5, Store)."""
        return self._exit_only

    @property
    def count(self) -> int:
        """How many writes there were in the life of the database: a later moment has more."""
        return self._about.count

    def records(self) -> Iterable[Row]:
        """All rows but numbered ones; also learns where each lives, which `write` wants to know.

        Raises:
            StoreDamaged, CorruptRow: the file is not as it was written.
        """
        self._require_opener()
        with self._faults():
            rows, places = read_all(self._db, self._tables)
        if not self._about.agrees(places.total()):
            raise StoreDamaged(str(self.path), "rows are missing, or older than what came after")
        self._places, self._read = places, True
        return rows

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        self._require_opener()
        name = self._tables[kind].name
        with self._faults():
            row = self._db.execute(f"SELECT min(row), max(row) FROM {name}").fetchone()  # noqa: S608
        return (1, 0) if row[0] is None else (int(row[0]), int(row[1]))

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        self._require_opener()
        table = self._tables[kind]
        with self._faults():
            found = self._db.execute(table.some, (after, most)).fetchall()
        return [table.decode(number, stored) for number, stored in found]

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All of these or none; on disk when it returns. It waits while another program holds the
        database.

        Raises:
            WriteFailed: not known to be on disk; the node must stop.
            StoreFull, StoreReadOnly, StoreLocked, StoreTaken: nothing was written.
        """
        if not self._read:
            self.records()
        batch = Batch(self._places, rows, drops)
        self._commit(1, batch.change, batch.execute)
        batch.done()
        self._exit_only = self._exit_only or batch.marked
        self._count.note(self._about.count)

    def _commit(self, commits: int, change: int, act: Callable[[sqlite3.Connection], None]) -> None:
        self._require_opener()
        try:
            self._begin()
            act(self._db)
            tally = self._about.advance(commits, change)
            self._db.execute("COMMIT")
        except BaseException as error:
            # Most errors have rolled back already.
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise fault_of(self.path, error, writing=True) from error
            raise
        self._about.advanced(tally)

    def _begin(self) -> None:
        waited = 0
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
            waited += _PATIENCE
            locked = StoreLocked(str(self.path), waited)
            if self._waiting is not None:
                self._waiting(locked)
            elif waited >= _LONGEST:
                raise locked

    # ---------------------------------------------------------------------------------- keeping

    @property
    def failed(self) -> None:
        """See `KeptStore`; a file does not go by itself."""

    @property
    def shelf(self) -> None:
        """See `KeptStore`."""

    def dump(self) -> Dump:
        """Everything that it holds.

        Raises:
            StoreDamaged: it is not as it was written.
        """
        self._require_opener()
        with self._faults():
            found = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {str(name) for (name,) in found}
            return take(self._db, names - {"meta", "transactions"}, str(self.path))

    def fill(self, dump: Dump) -> None:
        """Takes over a dump in place of its own rows.

        Raises:
            StoreFault: nothing has changed.
        """
        self._require_opener()
        create = "CREATE TABLE IF NOT EXISTS {name} (row INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        with self._faults():
            self._begin()
            try:
                fill(self._db, dump, create)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._about = About(self._db, self.path)
            self._places, self._read = Places(self._db, self._tables), False
        self._count.note(dump.count)

    def backup(self, destination: Path | str) -> None:
        """A copy of everything as it stands; it opens exit only, wherever it is put."""
        self._require_opener()
        with self._faults():
            # Nobody else may read it from its first byte on: it holds the seed.
            os.close(os.open(destination, os.O_CREAT | os.O_WRONLY, 0o600))
            os.chmod(destination, 0o600)
            target = sqlite3.connect(destination)
            try:
                self._db.backup(target)
            finally:
                target.close()

    def close(self) -> None:
        """Closes the file and lets the lock go. In a forked child it does nothing: both are the
        parent's."""
        if os.getpid() == self._lock.opener:
            self._db.close()
            self._count.close()
            self._lock.release()
