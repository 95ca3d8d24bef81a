"""A look at a store on PostgreSQL as one moment has it, also while its writer writes."""

from __future__ import annotations

import psycopg

from perun.store.dumps import Dump, take
from perun.store.postgres.place import PostgresPlace
from perun.store.postgres.schema import table_names
from perun.store.postgres.session import Session, fault_of
from perun.types import Record

__all__ = ["Seen", "read_dump"]

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Seen(Record, frozen=True):
    """The rows, and what lies beside them: kind, key and body."""

    dump: Dump
    beside: tuple[tuple[str, bytes, bytes], ...]


def read_dump(place: PostgresPlace) -> Seen:
    """Everything that is there.

    Raises:
        StoreFault: it cannot be reached, or is no store.
    """
    session = Session(place.database)
    try:
        with session.transaction(_SNAPSHOT):
            dump = take(session, table_names(session), session.where)
            beside = session.execute("SELECT kind, key, body FROM beside ORDER BY kind, key")
            return Seen(dump, tuple((kind, key, body) for kind, key, body in beside))
    except psycopg.Error as error:
        raise fault_of(session.where, error) from error
    finally:
        session.close()
