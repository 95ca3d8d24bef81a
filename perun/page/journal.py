"""What we have sent and under which nonce, as small values of the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from perun.chain.journal import Entry, JournalFailed
from perun.page.store import PageStore

__all__ = ["PageJournal"]

_PREFIX: Final = "transaction "


class PageJournal:
    """`perun.chain.journal.Journal` of the one account that a page has."""

    def __init__(self, store: PageStore) -> None:
        self._store = store

    def load(self) -> Iterable[Entry]:
        """See `Journal`."""
        rows = self._store.values(_PREFIX).values()
        try:
            return tuple(msgspec.json.decode(row, type=Entry) for row in rows)
        except msgspec.MsgspecError as error:
            raise JournalFailed("this browser's storage", str(error)) from error

    def put(self, entry: Entry) -> None:
        """See `Journal`."""
        self._store.put(f"{_PREFIX}{entry.nonce}", msgspec.json.encode(entry))

    def drop(self, nonce: int) -> None:
        """See `Journal`."""
        self._store.put(f"{_PREFIX}{nonce}", None)
