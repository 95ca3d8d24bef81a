"""Newer records of an owner, laid over books that have seen the chain meanwhile.

A tower that began anew with each export would be blind until it had read the chain again, which
takes long at a node that answers in small pieces. So only what the owner knows is taken over; what
the chain has told stays.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from perun.core.books import Books, Row, Step
from perun.core.nanocontracts.kinds import kind_of
from perun.core.state import ChannelView, InstanceView
from perun.core.states.content import agreed_version

__all__ = ["newer"]


def newer(books: Books, rows: Iterable[Row]) -> Step:
    """What changes in `books` by the rows of a newer export of the same owner."""
    rows = tuple(rows)
    instances = {row.id for row in rows if isinstance(row, InstanceView)}
    # The owner has forgotten these for good: what he was paid there is in a state, or over.
    gone = [view for id, view in books.instances.items() if id not in instances]
    totals = [books.totals[view.id] for view in gone if view.id in books.totals]
    return Step(tuple(_laid_over(books, row) for row in rows), (), (*gone, *totals))


def _laid_over(books: Books, row: Row) -> Row:
    if isinstance(row, ChannelView):
        known = books.channels.get(row.id)
        if known is None:
            return replace(row, watched=False)
        if agreed_version(known) > agreed_version(row):
            return known  # a state that only the chain has shown
        return replace(
            row, head=known.head, final=known.final, watched=known.watched, told=known.told
        )
    if isinstance(row, InstanceView):
        seen = books.instances.get(row.id)
        if seen is None:
            return replace(row, watched=False)
        row = kind_of(row.terms).laid_over(row, seen)
        return replace(row, head=seen.head, final=seen.final, watched=seen.watched, told=seen.told)
    return row
