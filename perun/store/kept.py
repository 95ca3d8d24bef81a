"""What a node needs of its own store beyond the port: it stays, and remembers small values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from perun.errors import StoreFault
from perun.ports import Store

if TYPE_CHECKING:
    # Knows SQLite, which a page does not have.
    from perun.store.dumps import Dump

__all__ = ["KeptStore", "Shelf"]


class Shelf(Protocol):
    """Where other things lie beside a store's rows, as durable as those."""

    @property
    def path(self) -> Path | str:
        """Where it is, for people."""

    def beside(self, kind: str) -> list[tuple[bytes, bytes]]:
        """What is kept of a kind: keys and bodies. Raises `StoreFault`."""

    def put_beside(self, kind: str, key: bytes, body: bytes | None) -> None:
        """Keeps one, or forgets it. Raises `StoreFault` unless that is on disk."""


class KeptStore(Store, Protocol):
    """A SQLite file, or a database on PostgreSQL."""

    @property
    def path(self) -> Path | str:
        """Where it is, for people."""

    @property
    def count(self) -> int:
        """How many writes there were in its life: a later moment has more."""

    @property
    def failed(self) -> StoreFault | None:
        """Why it will not write any more, if it has found that out by itself."""

    @property
    def shelf(self) -> Shelf | None:
        """Where its node keeps what is not in rows; None: in files beside the store's."""

    def get(self, name: str) -> bytes | None:
        """A small value about the store itself."""

    def put(self, name: str, value: bytes) -> None:
        """Keeps one; on disk when it returns."""

    def dump(self) -> Dump:
        """Everything that it holds. Raises `StoreFault`."""

    def fill(self, dump: Dump) -> None:
        """Takes over a dump in place of its own rows. Raises `StoreFault`."""
