"""From a store to books: a node goes on exactly where its last write left it."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Books, Row
from perun.core.config import Config
from perun.core.rulebook import NO_RULES, Rulebook
from perun.core.state import ChannelView, InstanceView
from perun.encoding.records import Extra
from perun.node.guest import Guest
from perun.ports import Store

__all__ = ["just_read", "open_books"]


def open_books(
    config: Config, store: Store, guest: Guest | None = None, rules: Rulebook = NO_RULES
) -> Books:
    """Everything the store holds; of the chain nothing is known yet.

    Rows of a program above go to that, as its guest; without one they stay where they are.

    Its clock starts anew, so no view is fresh, and what it said of channels and instances counts
    only once it has been asked again: it may have changed meanwhile; and no peer has shown
    its newest state yet (protocol, section 5).
    """
    books = Books(config, exit_only=store.exit_only, rules=rules)
    for row in store.records():
        if isinstance(row, Extra):
            if guest is not None:
                guest.load(row)
            continue
        books.load(just_read(row))
    return books


def just_read(row: Row) -> Row:
    """A row without what was known of the world when it was written."""
    if type(row) is ChannelView:
        return replace(row, watched=False, met=False)
    if type(row) is InstanceView:
        return replace(row, watched=False)
    return row
