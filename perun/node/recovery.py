"""From a store to books: a node goes on exactly where its last write left it."""

from __future__ import annotations

from perun.core.books import Books
from perun.core.config import Config
from perun.ports import Store

__all__ = ["open_books"]


def open_books(config: Config, store: Store) -> Books:
    """Everything the store holds; the chain's clock starts anew, so nothing is fresh yet."""
    books = Books(config, exit_only=store.exit_only)
    for row in store.records():
        books.load(row)
    return books
