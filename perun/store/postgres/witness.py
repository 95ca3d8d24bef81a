"""The witness: which turn of a store was the last, told by another server than the database's.

A database can lose its last turns and not know it: a replica that lags is promoted, a backup is put
back. What the turn had signed has left by then. So no message leaves before the turn's number and
hash are at the witness too; and whoever opens the store asks there first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import psycopg

from perun.errors import StoreFault
from perun.store.faults import StoreUnreachable, WriteFailed
from perun.store.postgres.patience import Patience
from perun.store.postgres.place import shown
from perun.store.postgres.session import Session, fault_of
from perun.types import Record

__all__ = ["SameServer", "Standing", "Witness", "WriterReplaced"]

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS witness (store bytea PRIMARY KEY, epoch bigint NOT NULL, "
    "turn bigint NOT NULL, hash bytea NOT NULL)"
)
_MAKING: Final = 482905093487
"""Advisory lock of whoever makes the table."""
_SERVER: Final = "SELECT system_identifier FROM pg_control_system()"


@dataclass(eq=False)
class WriterReplaced(StoreFault):
    """Another process has taken this store over; nothing of the last turn has left this one."""

    path: str
    epoch: int

    template: ClassVar[str] = "{path}: epoch {epoch} is over, another process writes now"
    hint: ClassVar[str] = "the store goes on there; this process ends, and may wait as a standby"


@dataclass(eq=False)
class SameServer(StoreFault):
    """Database and witness are one server, which would lose its newest turns at both."""

    path: str
    witness: str

    template: ClassVar[str] = "{path} and its witness {witness} are on the same server"
    hint: ClassVar[str] = "name a witness on another server, on another disk"


class Standing(Record, frozen=True):
    """What the witness, or the writer's row, says of a store."""

    epoch: int
    turn: int
    hash: bytes


class Witness:
    """A session with it; one writer's of one store."""

    def __init__(
        self, url: str, store: bytes, database: Session, patience: Patience, where: str
    ) -> None:
        """Connects.

        Raises:
            StoreFault: it cannot be reached, or is the database's own server.
        """
        self._store, self._patience, self._where = store, patience, where
        self._session = Session(url)
        self._epoch = 0
        try:
            if self._session.one(_SERVER) == database.one(_SERVER):
                raise SameServer(where, shown(url))
            if self._session.one("SELECT to_regclass('witness')") is None:
                with self._session.transaction():
                    # Two that create a table at once fail, whatever they say of its existence.
                    self._session.one("SELECT pg_advisory_xact_lock(?)", _MAKING)
                    self._session.execute(_CREATE)
        except psycopg.Error as error:
            self.close()
            raise fault_of(self._session.where, error) from error
        except BaseException:
            self.close()
            raise

    def look(self) -> Standing | None:
        """What it says now; None: it does not know the store."""
        row = self._ask("SELECT epoch, turn, hash FROM witness WHERE store = ?", self._store)
        return None if row is None else Standing(*row)

    def begin(self) -> None:
        """Makes a new store known; again does nothing."""
        self._ask(
            "INSERT INTO witness VALUES (?, 0, 0, ?) ON CONFLICT DO NOTHING RETURNING turn",
            self._store,
            bytes(32),
        )

    def raise_epoch(self, least: int) -> Standing | None:
        """From now on nobody with a lesser epoch is believed; what it knows, as of then."""
        row = self._ask(
            "UPDATE witness SET epoch = greatest(epoch, ?) + 1 WHERE store = ? "
            "RETURNING epoch, turn, hash",
            least,
            self._store,
        )
        if row is None:
            return None
        self._epoch = int(row[0])
        return Standing(*row)

    def tell(self, turn: int, hash: bytes, before: bytes) -> None:
        """A turn, once, in order, by the newest epoch only; durable there when it returns.

        Raises:
            WriterReplaced: another writer has raised the epoch.
            WriteFailed: it is not known to be there.
        """
        try:
            with self._patience.over(self._session):
                done = self._session.execute(
                    "UPDATE witness SET turn = ?, hash = ? "
                    "WHERE store = ? AND epoch = ? AND turn = ? AND hash = ?",
                    (turn, hash, self._store, self._epoch, turn - 1, before),
                )
        except psycopg.Error as error:
            raise WriteFailed(self._session.where, f"the witness: {error}") from error
        if self._session.doubts:
            raise WriteFailed(self._session.where, f"the witness: {self._session.doubts}")
        if done.rowcount != 1:
            raise WriterReplaced(self._where, self._epoch)

    def close(self) -> None:
        """Ends the session."""
        self._session.close()

    def _ask(self, sql: str, *values: object) -> tuple[int, int, bytes] | None:
        try:
            with self._patience.over(self._session):
                row: tuple[int, int, bytes] | None = self._session.execute(sql, values).fetchone()
        except psycopg.Error as error:
            raise StoreUnreachable(self._session.where, f"the witness: {error}") from error
        return row
