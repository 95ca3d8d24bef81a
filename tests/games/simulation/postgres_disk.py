"""The same disk as a store on PostgreSQL: what a node reads and writes is a database of its own,
with a witness of its own.

What it keeps in memory besides is what the database must hold: compared whenever the node starts.
A power cut ends its sessions, or comes between the database and the witness; a backup is a copy of
the database, and whoever puts that back finds the witness ahead, unless that went back too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from perun.app.rows import KINDS
from perun.core.books import Row, row_key
from perun.core.state import StoreMark
from perun.encoding.records import NumberedExtra
from perun.store.memory import MemoryStore
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.store import PostgresStore
from perun.store.tables import table_of
from tests.games.simulation.disk import Disk, Power
from tests.games.simulation.violated import Violated
from tests.support.postgres import Cluster, Servers

__all__ = ["PostgresDisk", "postgres_disks"]

N = TypeVar("N", bound=NumberedExtra)
_ALL = 2**31
_Written = tuple[list[Row], list[Row]]


def postgres_disks(servers: Servers) -> Callable[[Power], Disk]:
    """Makes disks there; each takes its databases away when it is closed."""
    return lambda power: PostgresDisk(power, _Databases(servers))


class _Databases:
    """Those of one party in one game."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._made: list[tuple[Cluster, str]] = []

    def new(self) -> PostgresPlace:
        """Empty ones."""
        return self._place(Cluster.new)

    def copy(self, place: PostgresPlace) -> PostgresPlace:
        """As they stand; nobody may be connected to them."""
        urls = {self._servers.database: place.database, self._servers.witness: place.witness}
        return self._place(lambda server: server.copy(urls[server]))

    def _place(self, make: Callable[[Cluster], str]) -> PostgresPlace:
        database, witness = self._servers.database, self._servers.witness
        made = [(server, make(server)) for server in (database, witness)]
        self._made += made
        return PostgresPlace(made[0][1], made[1][1])

    def cut_witness(self, place: PostgresPlace) -> None:
        """Ends all sessions with it."""
        self._servers.witness.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{_name(place.witness)}'"
        )

    def drop(self) -> None:
        """None is needed any more."""
        for server, url in self._made:
            server.ask(f"DROP DATABASE {_name(url)} WITH (FORCE)")
        self._made.clear()


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1]


class _Copy(MemoryStore):
    """A backup: what it must hold, and where it is."""

    def __init__(self, rows: dict[tuple[type, bytes], bytes], place: PostgresPlace) -> None:
        super().__init__(exit_only=True)
        self._rows, self.place = dict(rows), place


class PostgresDisk(Disk):
    """One party's."""

    def __init__(
        self, power: Power, databases: _Databases, place: PostgresPlace | None = None
    ) -> None:
        super().__init__(power)
        self._databases = databases
        self._place = place or databases.new()
        self._store = PostgresStore(self._place, KINDS)
        self._coming: _Written | None = None
        """What was being written when the store failed."""

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `Disk`; the power may also fail when the database has it and the witness has not."""
        self._coming = (list(rows), list(drops))
        self._power.before()
        if self._power.is_between():
            self._databases.cut_witness(self._place)
        self._store.write(*self._coming)
        self._mirror()
        self._power.after()

    def _mirror(self) -> None:
        assert self._coming is not None
        MemoryStore.write(self, *self._coming)
        self.watch(self._coming[0])
        self._coming = None

    def reopen(self) -> None:
        """Raises `Violated` if the database has anything else than was written."""
        self._store.close()
        self._store = PostgresStore(self._place, KINDS)
        found = self._found()
        if found != self._rows and self._coming is not None:
            # Committed, and the witness had not said so: that turn has not left, and is not lost.
            self._mirror()
        self._coming = None
        if found != self._rows:
            raise Violated(
                "store: it has other rows than were written",
                lost=len(self._rows.keys() - found.keys()),
                more=len(found.keys() - self._rows.keys()),
            )
        # Of a mark among the rows the node knows by itself.
        marked = any(kind is StoreMark for kind, _ in self._rows)
        if self.exit_only > self._store.exit_only or self._store.exit_only > (
            self.exit_only or marked
        ):
            raise Violated("store: it forgot whether it is a copy", says=self._store.exit_only)

    def _found(self) -> dict[tuple[type, bytes], bytes]:
        rows: list[Row] = list(self._store.records())
        for kind in KINDS:
            if issubclass(kind, NumberedExtra):
                rows += self._store.numbered(kind, 0, _ALL)
        return {(type(row), row_key(row)): table_of(type(row)).codec.encode(row) for row in rows}

    def records(self) -> Iterable[Row]:
        """See `Store`."""
        return self._store.records()

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `Store`."""
        return self._store.bounds(kind)

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `Store`."""
        return self._store.numbered(kind, after, most)

    def copy(self) -> MemoryStore:
        """A copy of the database, and of the witness, for a moment in which nobody uses them."""
        self._store.close()
        copy = _Copy(self._rows, self._databases.copy(self._place))
        self._store = PostgresStore(self._place, KINDS)
        return copy

    def put_back(self, backup: MemoryStore, *, marked: bool) -> Disk:
        """The database is what it was. Its witness tells; unmarked, it went back as well."""
        assert isinstance(backup, _Copy)
        self._store.close()
        place = backup.place
        if marked:
            place = PostgresPlace(place.database, self._place.witness)
        other = PostgresDisk(self._power, self._databases, place)
        other._rows = dict(backup._rows)
        other.exit_only = other._store.exit_only
        if marked and not other.exit_only and backup._rows != self._rows:
            raise Violated("store: a database that went back takes itself for the original")
        if not marked and other.exit_only:
            raise Violated("store: its witness agrees, and it takes itself for a copy")
        other.watch = self.watch
        return other

    def close(self) -> None:
        """The game is over."""
        self._store.close()
        self._databases.drop()
