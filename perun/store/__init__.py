"""Durable records of one node, one writer: SQLite or PostgreSQL, memory for tests and towers.

An engine is loaded when its store is asked for: a page in a browser brings another, and few nodes
have PostgreSQL.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from perun.store.faults import (
    AnotherName,
    StoreDamaged,
    StoreForked,
    StoreFull,
    StoreInUse,
    StoreLocked,
    StoreReadOnly,
    StoreTaken,
    StoreTooNew,
    StoreUnreachable,
    WriteFailed,
)
from perun.store.memory import MemoryStore

if TYPE_CHECKING:
    from perun.store.postgres.reading import read_dump
    from perun.store.postgres.standing_by import await_turn
    from perun.store.postgres.store import PostgresStore
    from perun.store.sqlite import SqliteStore
else:
    _ENGINES = {
        "SqliteStore": "perun.store.sqlite",
        "PostgresStore": "perun.store.postgres.store",
        "await_turn": "perun.store.postgres.standing_by",
        "read_dump": "perun.store.postgres.reading",
    }

    def __getattr__(name: str) -> Any:
        if name in _ENGINES:
            return getattr(import_module(_ENGINES[name]), name)
        raise AttributeError(f"module 'perun.store' has no attribute {name!r}")


__all__ = [
    "AnotherName",
    "MemoryStore",
    "PostgresStore",
    "SqliteStore",
    "StoreDamaged",
    "StoreForked",
    "StoreFull",
    "StoreInUse",
    "StoreLocked",
    "StoreReadOnly",
    "StoreTaken",
    "StoreTooNew",
    "StoreUnreachable",
    "WriteFailed",
    "await_turn",
    "read_dump",
]
