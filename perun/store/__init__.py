"""Durable records of one node, one writer: SQLite for real, memory for tests and towers."""

from perun.store.faults import StoreDamaged, StoreInUse, StoreTooNew, WriteFailed
from perun.store.memory import MemoryStore
from perun.store.sqlite import SqliteStore

__all__ = [
    "MemoryStore",
    "SqliteStore",
    "StoreDamaged",
    "StoreInUse",
    "StoreTooNew",
    "WriteFailed",
]
