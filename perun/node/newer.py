"""Newer records of an owner, laid over books that have seen the chain meanwhile.

A tower that began anew with each export would be blind until it had read the chain again, which
takes long at a node that answers in small pieces. So only what the owner knows is taken over; what
the chain has told stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from perun.core.books import Books, Row, Step
from perun.core.nanocontracts.kinds import kind_of
from perun.core.state import ChannelView, InstanceView, Totals
from perun.core.states.content import agreed_version

__all__ = ["Heights", "fallen", "heights", "newer"]

Heights = dict[bytes, int]
"""Version by channel and by game, accepted total by machine, what is kept by other instances."""


def heights(rows: Iterable[Row]) -> Heights:
    """How new each of these is."""
    found: Heights = {}
    for row in rows:
        if isinstance(row, ChannelView):
            found[row.id] = 0 if row.agreed is None else row.agreed.state.version
        elif isinstance(row, Totals):
            found[row.machine] = row.received
        elif isinstance(row, InstanceView):
            height = kind_of(row.terms).height(row)
            if height is not None:
                found[row.id] = height
    return found


def fallen(had: Heights, rows: Iterable[Row], lasts: Callable[[bytes], bool]) -> bytes | None:
    """What is older in `rows` than it was, or is not there though it is not over; None: nothing.

    Args:
        lasts: whether a channel that is not there must be; instances must while a state names them.
    """
    rows = tuple(rows)
    new = heights(rows)
    views = [row for row in rows if isinstance(row, ChannelView) and row.agreed is not None]
    listed = {nano.id for view in views if view.agreed for nano in view.agreed.state.nanos}
    for id, height in had.items():
        if new.get(id, 0 if id in listed or lasts(id) else height) < height:
            return id
    return None


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
