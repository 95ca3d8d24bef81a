"""Where a node keeps things: a SQLite file, or PostgreSQL; opened by one function for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

import perun.store
from perun.chain import SqliteJournal
from perun.chain.journal import Journal
from perun.encoding.records import Extra
from perun.errors import StoreFault
from perun.node.beside import BesideJournal
from perun.store import SqliteStore
from perun.store.kept import KeptStore
from perun.store.postgres.place import PostgresPlace
from perun.types import Address

__all__ = ["KeptJournal", "Place", "UnfinishedCopy", "journal_of", "open_store"]

Place: TypeAlias = Path | PostgresPlace
Told = Callable[[StoreFault], None]


@dataclass(eq=False)
class UnfinishedCopy(StoreFault):
    """The store was being filled with another one's rows, and that has not ended."""

    path: str

    template: ClassVar[str] = "{path} was to become another store, and has not"
    hint: ClassVar[str] = "run `perun hub store copy` again, as before"


class KeptJournal(Journal, Protocol):
    """A journal that is to be closed."""

    def close(self) -> None:
        """Lets files go."""


def open_store(
    place: Place, extras: Sequence[type[Extra]], told: Told, *, unfinished: bool = False
) -> KeptStore:
    """Opens or creates a store.

    Args:
        told: of a write that waits for another program, and of a database that has gone.
        unfinished: also one that is being filled.

    Raises:
        StoreFault: it cannot be opened, as `SqliteStore` and `PostgresStore` say.
    """
    store: KeptStore
    if isinstance(place, Path):
        store = SqliteStore(place, extras, waiting=told)
    else:
        # Asked for by name here, so that whoever has a file needs no driver.
        store = perun.store.PostgresStore(place, extras, lost=told)
    if store.get("unfinished") and not unfinished:
        store.close()
        raise UnfinishedCopy(str(store.path))
    return store


def journal_of(store: KeptStore, account: Address) -> KeptJournal:
    """The journal of transactions that goes with a store.

    Raises:
        StoreFault: it cannot be opened.
    """
    if store.shelf is not None:
        return BesideJournal(store.shelf, account)
    # In the store's own file: a backup then knows what is under way.
    return SqliteJournal(store.path, account)
