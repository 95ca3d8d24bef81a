"""A store whose writes somebody hears of once they are on disk: backups and towers follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from perun.core.books import Books, Row
from perun.core.chain_view import EMPTY
from perun.core.state import ChannelView, InstanceView
from perun.encoding.records import NumberedExtra
from perun.ports import Store

__all__ = ["Counted", "Follower", "ToldStore", "chain_apart", "rows_of"]

N = TypeVar("N", bound=NumberedExtra)

Follower = Callable[[int, Sequence[Row], Sequence[Row]], None]
"""Takes how many writes there were, the rows, and those dropped; in the node's thread, between disk
and wire: it returns at once."""


class Counted(Store, Protocol):
    """A store that counts its writes."""

    @property
    def count(self) -> int:
        """How many there were in its life: a later moment has more."""


class ToldStore:
    """A `perun.ports.Store` on another."""

    def __init__(self, below: Counted) -> None:
        self._below = below
        self.followers: list[Follower] = []

    @property
    def exit_only(self) -> bool:
        """See `perun.ports.Store`."""
        return self._below.exit_only

    def records(self) -> Iterable[Row]:
        """See `perun.ports.Store`."""
        return self._below.records()

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        return self._below.bounds(kind)

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        return self._below.numbered(kind, after, most)

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `perun.ports.Store`."""
        if not self.followers:
            self._below.write(rows, drops)
            return
        rows, drops = tuple(rows), tuple(drops)
        self._below.write(rows, drops)
        for follower in self.followers:
            follower(self._below.count, rows, drops)

    def close(self) -> None:
        """See `perun.ports.Store`."""
        self._below.close()


def rows_of(books: Books) -> Iterable[Row]:
    """Everything that the core knows, for who begins to follow."""
    yield from books.channels.values()
    yield from books.instances.values()
    yield from books.totals.values()
    yield from books.hub_instances.values()
    yield from books.invitations.values()


def chain_apart(row: Row) -> Row:
    """A row without what the chain has told, deposits apart: what is equal then needs no entry."""
    if type(row) is ChannelView:
        final = replace(EMPTY, alice=row.final.alice, bob=row.final.bob)
        return replace(row, head=EMPTY, final=final, watched=False, told=0, met=False)
    if type(row) is InstanceView:
        return replace(row, head=None, final=None, watched=False, told=0)
    return row
