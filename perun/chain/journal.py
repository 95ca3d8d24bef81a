"""What we have sent and under which nonce: on disk before it leaves, so that a restart goes on.

Without it a restarted process would not know that its deposit is under way, and send it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from perun.bindings.calls import Call, Fees
from perun.chain.wishes import Wish
from perun.errors import StoreFault
from perun.types import Record

__all__ = ["Attempt", "Entry", "Journal", "JournalFailed", "MemoryJournal"]


@dataclass(eq=False)
class JournalFailed(StoreFault):
    """The file of sent transactions cannot be read or written; nothing was sent."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"


class Attempt(Record, frozen=True, gc=False, array_like=True):
    """One signed transaction."""

    hash: bytes
    raw: bytes
    fees: Fees
    call: Call


class Entry(Record, frozen=True, gc=False, array_like=True):
    """One nonce of ours: every transaction that was ever signed under it, any of which may mine."""

    nonce: int
    wish: Wish
    attempts: tuple[Attempt, ...]
    done: bool = False
    """Seen in a final block. Kept while asking again for the wish could send it a second time."""


class Journal(Protocol):
    """Entries of one account by nonce."""

    def load(self) -> Iterable[Entry]:
        """All of them, in no order."""

    def put(self, entry: Entry) -> None:
        """Durable when it returns; replaces the entry of the same nonce."""

    def drop(self, nonce: int) -> None:
        """Forgets one."""


class MemoryJournal:
    """For chains that end with the process."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}

    def load(self) -> Iterable[Entry]:
        """See `Journal`."""
        return tuple(self._entries.values())

    def put(self, entry: Entry) -> None:
        """See `Journal`."""
        self._entries[entry.nonce] = entry

    def drop(self, nonce: int) -> None:
        """See `Journal`."""
        self._entries.pop(nonce, None)
