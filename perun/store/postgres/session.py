"""One connection to PostgreSQL, and what its errors mean for a store."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo

from perun.errors import StoreFault
from perun.store.database import Rows
from perun.store.faults import (
    StoreDamaged,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
    WriteFailed,
)
from perun.store.postgres.place import shown

__all__ = ["Session", "fault_of"]

# What it would print of a lost connection is in our own faults.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_OPTIONS: Final = {
    "connect_timeout": 5,
    # A server that has vanished from the network is noticed while we wait for its answer, and
    # while we do not.
    "tcp_user_timeout": 5_000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}


class Session:
    """Used by one thread at a time; a lost connection is never made again."""

    def __init__(self, url: str) -> None:
        """Connects, to a server that can be written.

        Raises:
            StoreUnreachable: nobody answers, or not to us.
            StoreReadOnly: it is a replica.
        """
        self.where = shown(url)
        self.doubts: list[str] = []
        """What the server has warned of since the last commit began."""
        name = f"perun {socket.gethostname()}:{os.getpid()}"
        try:
            info = make_conninfo(url, application_name=name, **_OPTIONS)
            self._db = psycopg.connect(info, autocommit=True)
        except psycopg.Error as error:
            raise StoreUnreachable(self.where, _words(error)) from error
        try:
            self._db.add_notice_handler(self._hear)
            # A replica is refused in words; a commit that may be lost is none.
            if self.one("SELECT pg_is_in_recovery()"):
                raise StoreReadOnly(self.where, "a replica that is not promoted")
            if self.one("SHOW synchronous_commit") in ("off", "local"):
                self.execute("SET synchronous_commit TO on")
        except psycopg.Error as error:
            self.close()
            raise fault_of(self.where, error) from error
        except BaseException:
            self.close()
            raise

    def _hear(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self.doubts.append(diagnostic.message_primary or "a warning")

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """Runs one statement, with `?` where values go."""
        return self._run(sql, values)

    def _run(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[Any]:
        return self._db.execute(sql.replace("?", "%s").encode(), values or None)

    def one(self, sql: str, *values: Any) -> Any:
        """The first value of the first row, or None."""
        row = self.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def together(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[int]:
        """Runs several in one round trip; how many rows each has changed."""
        with self._db.pipeline():
            done = [self._run(sql, values) for sql, values in statements]
        return [cursor.rowcount for cursor in done]

    def commit(self) -> None:
        """Ends a transaction.

        Raises:
            WriteFailed: the server did not say, without a warning, that it is committed.
        """
        status = self._run("COMMIT", ()).statusmessage
        if status != "COMMIT" or self.doubts:
            raise WriteFailed(self.where, "; ".join([f"COMMIT answered {status}", *self.doubts]))

    @contextmanager
    def transaction(self, kind: str = "BEGIN") -> Iterator[None]:
        """All of it or nothing."""
        self.doubts.clear()
        self.execute(kind)
        try:
            yield
            self.commit()
        except BaseException:
            self.undo()
            raise

    def sever(self) -> None:
        """Cuts the connection, so that whoever waits for an answer hears that there is none; any
        thread may. The server lets its locks go as soon as it notices."""
        with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(self._db.fileno())) as s:
            s.shutdown(socket.SHUT_RDWR)

    def undo(self) -> None:
        """Ends a transaction that has failed, if the connection still lives."""
        with suppress(psycopg.Error):
            self._db.rollback()

    def close(self) -> None:
        """Ends the connection; its locks go with it."""
        with suppress(psycopg.Error):
            self._db.close()


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def fault_of(where: str, error: psycopg.Error, *, writing: bool = False) -> StoreFault:
    """What an error of PostgreSQL means for the store there.

    Args:
        writing: rows were being committed; else the store was being opened or read.
    """
    reason = _words(error)
    if isinstance(error, pg.DiskFull | pg.OutOfMemory):
        return StoreFull(where, reason)
    if isinstance(error, pg.ReadOnlySqlTransaction | pg.InsufficientPrivilege):
        return StoreReadOnly(where, reason)
    if writing:
        return WriteFailed(where, reason)
    if isinstance(error, pg.UndefinedTable | pg.UndefinedColumn | pg.DataCorrupted):
        return StoreDamaged(where, reason)
    return StoreUnreachable(where, reason)
