"""Durable records of one node, one writer: SQLite for real, memory for tests and towers.

SQLite is loaded when `SqliteStore` is asked for: a page in a browser brings another.
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
    from perun.store.sqlite import SqliteStore
else:

    def __getattr__(name: str) -> Any:
        if name == "SqliteStore":
            return import_module("perun.store.sqlite").SqliteStore
        raise AttributeError(f"module 'perun.store' has no attribute {name!r}")


__all__ = [
    "AnotherName",
    "MemoryStore",
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
]
