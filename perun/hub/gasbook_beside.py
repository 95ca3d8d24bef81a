"""The book of costs of a hub whose store is on PostgreSQL: there too, so that whoever takes over
has it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from perun.chain.reports import Paid
from perun.hub.gasbook import Beginning, Costs, GasBook, GasBookFailed, read_costs
from perun.store.kept import KeptStore, Shelf

__all__ = ["BesideGasBook", "Book", "book_of", "costs_in"]

_PAID: Final = "costs"
_BEGUN: Final = "costs begun"


class Book(Protocol):
    """What our transactions have cost; see `perun.hub.gasbook`."""

    @property
    def has_begun(self) -> bool:
        """Whether it is known how the account stood at first."""

    def begin(self, begun: Beginning) -> None:
        """How the account stands at first."""

    def put(self, paid: Paid) -> None:
        """One more; the same again is the same."""

    def costs(self) -> Costs:
        """All that is known."""

    def close(self) -> None:
        """Lets files go."""


class BesideGasBook:
    """See `Book`."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @property
    def has_begun(self) -> bool:
        """See `Book`."""
        return bool(self._shelf.beside(_BEGUN))

    def begin(self, begun: Beginning) -> None:
        """See `Book`."""
        self._shelf.put_beside(_BEGUN, b"", msgspec.json.encode(begun))

    def put(self, paid: Paid) -> None:
        """See `Book`."""
        self._shelf.put_beside(_PAID, paid.hash, msgspec.json.encode(paid))

    def costs(self) -> Costs:
        """See `Book`. Raises `GasBookFailed`."""
        found = [
            (kind, key, body) for kind in (_BEGUN, _PAID) for key, body in self._shelf.beside(kind)
        ]
        return costs_in(found, str(self._shelf.path))

    def close(self) -> None:
        """Goes with the store."""


def costs_in(beside: Iterable[tuple[str, bytes, bytes]], where: str) -> Costs:
    """All that is known, oldest first, out of what lies beside a store. Raises `GasBookFailed`."""
    begun: Beginning | None = None
    paid: list[Paid] = []
    try:
        for kind, _, body in beside:
            if kind == _BEGUN:
                begun = msgspec.json.decode(body, type=Beginning)
            elif kind == _PAID:
                paid.append(msgspec.json.decode(body, type=Paid))
    except msgspec.MsgspecError as error:
        raise GasBookFailed(where, str(error)) from error
    return Costs(begun, tuple(sorted(paid, key=lambda one: one.block)))


class FileGasBook(GasBook):
    """See `Book`; a file in the node's folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def costs(self) -> Costs:
        """See `Book`. Raises `GasBookFailed`."""
        return read_costs(self._folder)


def book_of(store: KeptStore, folder: Path) -> Book:
    """The book that goes with a store. Raises `GasBookFailed`."""
    return FileGasBook(folder) if store.shelf is None else BesideGasBook(store.shelf)
