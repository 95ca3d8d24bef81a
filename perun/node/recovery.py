"""From a store to books: a node goes on exactly where its last write left it."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Books
from perun.core.config import Config
from perun.core.rulebook import NO_RULES, Rulebook
from perun.core.state import ChannelView, InstanceView
from perun.encoding.records import Extra
from perun.node.guest import Guest
from perun.ports import Store

__all__ = ["open_books"]


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
        if type(row) is ChannelView:
            row = replace(row, watched=False, met=False)
        elif type(row) is InstanceView:
            row = replace(row, watched=False)
        books.load(row)
    return books
