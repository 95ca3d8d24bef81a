"""The journal of transactions of a node whose store is on PostgreSQL: beside the rows.

Each entry is a turn of the store's: whoever takes over has all that was sent, and a writer that was
replaced sends nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from perun.chain.journal import Entry, JournalFailed, packed, unpacked
from perun.store.kept import Shelf
from perun.types import Address

__all__ = ["JOURNAL", "BesideJournal"]

JOURNAL: Final = "transactions"


class BesideJournal:
    """See `perun.chain.journal.Journal`; of one account."""

    def __init__(self, shelf: Shelf, account: Address) -> None:
        self._shelf, self._account = shelf, account

    def load(self) -> Iterable[Entry]:
        """See `Journal`. Raises `StoreFault` if it cannot be read."""
        found = self._shelf.beside(JOURNAL)
        try:
            return tuple(
                unpacked(self._account, int.from_bytes(key[len(self._account) :], "big"), body)
                for key, body in found
                if key.startswith(self._account)
            )
        except ValueError as error:
            raise JournalFailed(str(self._shelf.path), str(error)) from error

    def put(self, entry: Entry) -> None:
        """See `Journal`. Raises `StoreFault` unless it is on disk, and ours to write."""
        self._shelf.put_beside(JOURNAL, self._key(entry.nonce), packed(self._account, entry))

    def drop(self, nonce: int) -> None:
        """See `Journal`. Raises `StoreFault`."""
        self._shelf.put_beside(JOURNAL, self._key(nonce), None)

    def _key(self, nonce: int) -> bytes:
        return self._account + nonce.to_bytes(8, "big")

    def close(self) -> None:
        """Goes with the store."""
