"""The store of a hub on PostgreSQL: one transaction a turn, and a witness of each.

Who opens it raises the epoch at the witness and then in the writer's row, so that a writer of
before can neither commit nor be believed; and it compares. A database that has not what the witness
has is a copy, whatever it was before, and opens exit only (protocol, section 5, Store).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec
import psycopg

from perun.core.books import Row
from perun.encoding.records import Extra, NumberedExtra
from perun.errors import StoreFault
from perun.store.about import ADVANCE, PUT, About
from perun.store.batch import Batch, Places, read_all
from perun.store.dumps import Dump, fill, take
from perun.store.faults import StoreDamaged, StoreForked, StoreInUse
from perun.store.postgres.beating import LEASE, Beating
from perun.store.postgres.patience import Patience
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.schema import bring_up, table_names
from perun.store.postgres.session import Session, fault_of
from perun.store.postgres.witness import Standing, Witness, WriterReplaced
from perun.store.tables import TABLES, Table, table_of
from perun.types import Record

__all__ = ["HOLDER", "LOCK", "PostgresStore"]

N = TypeVar("N", bound=NumberedExtra)
Statement = tuple[str, Sequence[Any]]

LOCK: Final = 482905093486
"""Advisory lock of the database's writer; it goes with the writer's session."""
_PATIENCE: Final = 3.0
"""Seconds: a server hears a moment later that a process has ended."""
_PAUSE: Final = 0.02
_WRITER: Final = (
    "UPDATE writer SET turn = turn + 1, before = hash, hash = ? WHERE epoch = ? AND turn = ?"
)
HOLDER: Final = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND (classid::bigint << 32) + objid::bigint = 482905093486 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The session that has that lock."""
_NAME: Final = f"SELECT application_name FROM pg_stat_activity WHERE pid = ({HOLDER} LIMIT 1)"  # noqa: S608


class Writer(Record, frozen=True):
    """The writer's own row."""

    store: bytes
    """Names the store; a copy has the same name."""
    epoch: int
    turn: int
    hash: bytes
    """Of all turns until this one …"""
    before: bytes
    """… and until the one before."""

    def differs(self, known: Standing | None) -> str:
        """Why this database is not the one that its witness knows; empty if it is.

        It may be one turn ahead: that one was committed, and never left.
        """
        if known is None:
            return "the witness does not know it"
        if (self.turn, self.hash) == (known.turn, known.hash):
            return ""
        if (self.turn, self.before) == (known.turn + 1, known.hash):
            return ""
        return f"the witness has turn {known.turn}, and this database another one, {self.turn}"


# Rules store-1, store-2.
class PostgresStore:
    """Open from construction to `close`; used by the threads of one process."""

    def __init__(
        self,
        place: PostgresPlace,
        extras: Sequence[type[Extra]] = (),
        *,
        lost: Callable[[StoreFault], None] = lambda _: None,
    ) -> None:
        """Opens or creates a store.

        Args:
            extras: kinds of records of the program above the node; others stay where they are.
            lost: told, in a thread of its own, that the database has gone or somebody else writes.

        Raises:
            StoreInUse: another process writes it.
            StoreTooNew: a newer program wrote it.
            StoreDamaged: it is no store, or not as it was written.
            StoreUnreachable, StoreReadOnly: database or witness do not let us.
            SameServer: they are one server.
        """
        self.path = str(place)
        self.failed: StoreFault | None = None
        """Why it will not write any more, if so."""
        self._place = place
        self._lost = lost
        self._opener = os.getpid()
        self._mutex = threading.RLock()
        self._tables = {**TABLES, **{kind: table_of(kind) for kind in extras}}
        self._witness: Witness | None = None
        self._beating: Beating | None = None
        self._session = Session(place.database)
        self._patience = Patience(LEASE)
        try:
            with self._faults():
                self._open()
        except BaseException:
            self._let_go()
            raise

    @contextmanager
    def _faults(self) -> Any:
        """What goes wrong inside, as a typed fault."""
        try:
            yield
        except psycopg.Error as error:
            raise fault_of(self.path, error) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreDamaged(self.path, str(error)) from error

    # ------------------------------------------------------------------------------- taking over

    def _open(self) -> None:
        self._lock()
        bring_up(self._session)
        why = self._take_over()
        self._about = About(self._session, self.path)
        for kind, table in self._tables.items():
            if kind not in TABLES:
                self._session.execute(
                    f"CREATE TABLE IF NOT EXISTS {table.name} "
                    "(row bigint PRIMARY KEY, body bytea NOT NULL)"
                )
        self._places = Places(self._session, self._tables)
        self._read = False
        if why and self.get("exit only") is None:
            self.put("exit only", why.encode())
        self._exit_only = self.get("exit only") is not None
        self._beating = Beating(self._place, self._epoch, self._patience, self._fail)

    def _lock(self) -> None:
        end = time.monotonic() + _PATIENCE
        while not self._session.one("SELECT pg_try_advisory_lock(?)", LOCK):
            if time.monotonic() > end:
                raise StoreInUse(self.path, self._session.one(_NAME) or "unknown")
            time.sleep(_PAUSE)

    def _take_over(self) -> str:
        """From here on nobody else writes, or is believed; why the store is a copy, if it is."""
        writer = self._writer()
        url, patience = self._place.witness, self._patience
        witness = Witness(url, writer.store, self._session, patience, self.path)
        self._witness = witness
        if (writer.epoch, writer.turn) == (0, 0):
            witness.begin()
        # A copy must not stop the original by being looked at, so it is compared before too.
        marked = About(self._session, self.path).get("exit only")
        why = "it was one before" if marked is not None else writer.differs(witness.look())
        known = None if why else witness.raise_epoch(writer.epoch)
        if known is None:
            return self._as_copy(writer, why or "the witness has forgotten it")
        with self._session.transaction():
            done = self._session.execute(
                "UPDATE writer SET epoch = ? WHERE epoch < ?", (known.epoch, known.epoch)
            )
            if done.rowcount != 1:
                raise WriterReplaced(self.path, known.epoch)
        # Until now a writer of before could still commit, though not be believed.
        writer = self._writer()
        why = writer.differs(known)
        if why:
            return self._as_copy(writer, why)
        self._epoch, self._turn, self._hash = writer.epoch, writer.turn, writer.hash
        if writer.turn > known.turn:
            # Committed, and then the writer ended: nothing of that turn has left.
            witness.tell(writer.turn, writer.hash, writer.before)
        return ""

    def _writer(self) -> Writer:
        row = self._session.execute("SELECT store, epoch, turn, hash, before FROM writer")
        found = row.fetchone()
        if found is None:
            raise StoreDamaged(self.path, "it does not say who writes it")
        return Writer(*found)

    def _as_copy(self, writer: Writer, why: str) -> str:
        """Nothing that is signed from here on needs a witness: it is only to get out."""
        if self._witness is not None:
            self._witness.close()
            self._witness = None
        self._epoch, self._turn, self._hash = writer.epoch, writer.turn, writer.hash
        return f"a copy: {why}"

    # ------------------------------------------------------------------------------- small values

    def get(self, name: str) -> bytes | None:
        """A small value about the store itself."""
        return self._about.get(name)

    def put(self, name: str, value: bytes) -> None:
        """Keeps a small value about the store itself; on disk when it returns."""
        with self._mutex:
            change = self._about.change(name, value)
            self._commit(0, change, [(PUT, self._about.stored(name, value))])
            self._about.keep(name, value)

    # ---------------------------------------------------------------------------- records beside

    @property
    def shelf(self) -> PostgresStore:
        """See `KeptStore`."""
        return self

    def beside(self, kind: str) -> list[tuple[bytes, bytes]]:
        """What is kept of a kind beside the rows: keys and bodies."""
        with self._mutex, self._faults():
            found = self._session.execute("SELECT key, body FROM beside WHERE kind = ?", (kind,))
            return [(key, body) for key, body in found]

    def put_beside(self, kind: str, key: bytes, body: bytes | None) -> None:
        """Keeps, or forgets, something beside the rows: a turn of its own, so that whoever takes
        over has it."""
        delete: Statement = ("DELETE FROM beside WHERE kind = ? AND key = ?", (kind, key))
        insert: Statement = ("INSERT INTO beside VALUES (?, ?, ?)", (kind, key, body))
        with self._mutex:
            self._commit(0, 0, [delete] if body is None else [delete, insert])

    # ----------------------------------------------------------------------------------- records

    @property
    def exit_only(self) -> bool:
        """Restored, copied or behind its witness: nothing new may be signed."""
        return self._exit_only

    @property
    def count(self) -> int:
        """How many writes there were in the life of the database: a later moment has more."""
        return self._about.count

    def records(self) -> Iterable[Row]:
        """All rows but numbered ones; also learns where each lives, which `write` wants to know.

        Raises:
            StoreDamaged, CorruptRow: the database is not as it was written.
        """
        self._require_opener()
        with self._mutex, self._faults():
            rows, places = read_all(self._session, self._tables)
        if not self._about.agrees(places.total()):
            raise StoreDamaged(self.path, "rows are missing, or older than what came after")
        self._places, self._read = places, True
        return rows

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        self._require_opener()
        name = self._tables[kind].name
        with self._mutex, self._faults():
            row = self._session.execute(f"SELECT min(row), max(row) FROM {name}").fetchone()  # noqa: S608
        return (1, 0) if row[0] is None else (int(row[0]), int(row[1]))

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        self._require_opener()
        table = self._tables[kind]
        with self._mutex, self._faults():
            found = self._session.execute(table.some, (after, most)).fetchall()
        return [table.decode(number, stored) for number, stored in found]

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All of these or none; on disk, and known to the witness, when it returns.

        Raises:
            WriteFailed, WriterReplaced, StoreFault: what a turn has signed must not leave, and the
                process ends; whoever opens the store next sees what has become of the rows.
        """
        with self._mutex:
            if not self._read:
                self.records()
            batch = Batch(self._places, rows, drops)
            statements = [_put(table, values) for table, values in batch.puts()]
            statements += [(table.delete, (number,)) for table, number in batch.drops()]
            self._commit(1, batch.change, statements)
            batch.done()
            self._exit_only = self._exit_only or batch.marked

    def _commit(self, commits: int, change: int, statements: Sequence[Statement]) -> None:
        self._require_opener()
        if self.failed is not None:
            raise self.failed
        try:
            tally = self._turn_over(commits, change, statements)
        except psycopg.Error as error:
            fault = fault_of(self.path, error, writing=True)
            self._fail(fault)
            raise fault from error
        except StoreFault as fault:
            self._fail(fault)
            raise
        self._about.advanced(tally)

    def _turn_over(self, commits: int, change: int, statements: Sequence[Statement]) -> bytes:
        """The database first, the witness second; only then anything may leave."""
        coming, last = self._about.coming(commits, change)
        before, hash = self._hash, _hash_of(self._hash, coming, statements)
        own = [(ADVANCE, (coming, last)), (_WRITER, (hash, self._epoch, self._turn))]
        with self._patience.over(self._session), self._session.transaction():
            changed = self._session.together([*statements, *own])
            if changed[-2:] != [1, 1]:
                raise WriterReplaced(self.path, self._epoch)
        self._turn, self._hash = self._turn + 1, hash
        if self._witness is not None:
            self._witness.tell(self._turn, hash, before)
        return coming

    def _fail(self, fault: StoreFault) -> None:
        """For good: memory and database may differ from here on."""
        first = self.failed is None
        if first:
            self.failed = fault
            # A standby need not wait until this process has ended.
            self._session.sever()
            self._lost(fault)

    def _require_opener(self) -> None:
        here = os.getpid()
        if here != self._opener:
            raise StoreForked(self.path, self._opener, here)

    def dump(self) -> Dump:
        """Everything that it holds.

        Raises:
            StoreDamaged: it is not as it was written.
        """
        with self._mutex, self._faults():
            return take(self._session, table_names(self._session), self.path)

    def fill(self, dump: Dump) -> None:
        """Takes over a dump in place of its own rows, as one turn.

        Raises:
            StoreFault: nothing of it counts.
        """
        create = "CREATE TABLE IF NOT EXISTS {name} (row bigint PRIMARY KEY, body bytea NOT NULL)"
        with self._mutex, self._faults():
            hash = sha256(self._hash + msgspec.msgpack.encode(dump)).digest()
            with self._session.transaction():
                fill(self._session, dump, create)
                done = self._session.execute(_WRITER, (hash, self._epoch, self._turn))
                if done.rowcount != 1:
                    raise WriterReplaced(self.path, self._epoch)
            if self._witness is not None:
                self._witness.tell(self._turn + 1, hash, self._hash)
            self._turn, self._hash = self._turn + 1, hash
            self._about = About(self._session, self.path)
            self._places, self._read = Places(self._session, self._tables), False

    def close(self) -> None:
        """Ends its sessions, and so lets the lock go; in a forked child does nothing."""
        if os.getpid() == self._opener:
            self._let_go()

    def _let_go(self) -> None:
        self._patience.stop()
        if self._beating is not None:
            self._beating.stop()
        if self._witness is not None:
            self._witness.close()
        with suppress(psycopg.Error):
            # The end of a session is heard of a moment later.
            self._session.one("SELECT pg_advisory_unlock_all()")
        self._session.close()


def _put(table: Table, values: Sequence[Any]) -> Statement:
    """All rows of a table in one statement."""
    sql = (
        f"INSERT INTO {table.name} (row, body) SELECT * FROM unnest(?::bigint[], ?::bytea[]) "  # noqa: S608
        "ON CONFLICT (row) DO UPDATE SET body = excluded.body"
    )
    numbers, bodies = values[0::2], values[1::2]
    # Of two versions in one turn the last counts; the server takes each row once.
    newest = dict(zip(numbers, bodies, strict=True))
    return sql, (list(newest), list(newest.values()))


def _hash_of(before: bytes, tally: bytes, statements: Sequence[Statement]) -> bytes:
    """Of all that was ever written, in its order."""
    return sha256(before + tally + msgspec.msgpack.encode(statements)).digest()
