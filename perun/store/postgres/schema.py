"""Tables of a store on PostgreSQL, and their versions: applied in order, never edited, only added.

The rows are SQLite's, bytes and checksums alike (`perun.store.tables`). Beside them are the
writer's own row, its heartbeat, and what lies beside a SQLite store in files of its own.
"""

from __future__ import annotations

import os
from typing import Final

from perun.store.about import first_tally
from perun.store.faults import StoreTooNew
from perun.store.postgres.session import Session
from perun.store.tables import TABLES

__all__ = ["MIGRATIONS", "bring_up", "table_names"]

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (name text PRIMARY KEY, value bytea NOT NULL)",
        *(
            f"CREATE TABLE {table.name} (row bigint PRIMARY KEY, body bytea NOT NULL)"
            for table in TABLES.values()
        ),
        # `turn` and `hash` are those of the last commit, `before` is the hash of the one before.
        "CREATE TABLE writer (store bytea NOT NULL, epoch bigint NOT NULL, turn bigint NOT NULL, "
        "hash bytea NOT NULL, before bytea NOT NULL)",
        "CREATE TABLE beat (number bigint NOT NULL)",
        "INSERT INTO beat VALUES (0)",
        "CREATE TABLE beside (kind text NOT NULL, key bytea NOT NULL, body bytea NOT NULL, "
        "PRIMARY KEY (kind, key))",
    ),
)

_OURS: Final = ("meta", "writer", "beat", "beside", "schema")


def bring_up(session: Session, most: int = len(MIGRATIONS)) -> None:
    """Creates the tables, or brings those of an older program up to date.

    Raises:
        StoreTooNew: a newer program wrote them.
    """
    with session.transaction():
        session.execute("CREATE TABLE IF NOT EXISTS schema (version bigint NOT NULL)")
        found = session.one("SELECT version FROM schema")
        if found is not None and found > most:
            raise StoreTooNew(session.where, found, most)
        for migration in MIGRATIONS[found or 0 : most]:
            for statement in migration:
                session.execute(statement)
        if found is None:
            session.execute("INSERT INTO schema VALUES (?)", (most,))
            session.execute("INSERT INTO meta VALUES ('tally', ?)", (first_tally(),))
            session.execute(
                "INSERT INTO writer VALUES (?, 0, 0, ?, ?)", (os.urandom(16), bytes(32), bytes(32))
            )
        else:
            session.execute("UPDATE schema SET version = ?", (most,))


def table_names(session: Session) -> list[str]:
    """All tables of records, also those of programs above that are not asked for now."""
    found = session.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    )
    return sorted(name for (name,) in found if name not in _OURS)
