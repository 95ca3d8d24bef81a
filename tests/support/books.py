"""Whether a restart would bring back what a node goes by."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from perun.core.books import Books
from perun.core.state import ChannelView, InstanceView
from perun.node.recovery import open_books
from perun.ports import Store

__all__ = ["lost_fields"]

_KEPT = sorted(set(Books.__slots__) - {"config", "chain", "checker", "rules"})
"""What of its books a node gets back from its store."""


def lost_fields(books: Books, store: Store) -> list[str]:
    """Fields of the books that differ from what the store holds, order of indexes included."""
    again = open_books(books.config, store)
    return [name for name in _KEPT if getattr(again, name) != _unwatched(getattr(books, name))]


def _unwatched(kept: Any) -> Any:
    """A field of the books, if the chain had told nothing of what is in it."""
    if not isinstance(kept, dict):
        return kept
    return {
        key: _as_at_start(row) if isinstance(row, ChannelView | InstanceView) else row
        for key, row in kept.items()
    }


def _as_at_start(row: ChannelView | InstanceView) -> ChannelView | InstanceView:
    row = replace(row, watched=False)
    return replace(row, met=False) if isinstance(row, ChannelView) else row
