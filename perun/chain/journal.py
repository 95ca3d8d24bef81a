"""What we have sent and under which nonce: on disk before it leaves, so that a restart goes on.

Without it a restarted process would not know that its deposit is under way, and send it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol
from zlib import crc32

import msgspec

from perun.bindings.calls import Call, Fees
from perun.chain.wishes import Wish
from perun.errors import StoreFault
from perun.types import Address, Record

__all__ = ["Attempt", "Entry", "Journal", "JournalFailed", "MemoryJournal", "packed", "unpacked"]

_CHECKED: Final = b"\x01"
"""First byte of an entry that carries a checksum; those of before begin as JSON does."""


@dataclass(eq=False)
class JournalFailed(StoreFault):
    """The file of sent transactions cannot be read or written; nothing was sent."""

    path: str
    reason: str

    template: ClassVar[str] = "{path}: {reason}"
    hint: ClassVar[str] = "an exit goes on without this record and gets the money out: `perun exit`"


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


def packed(account: Address, entry: Entry) -> bytes:
    """What is kept of an entry: its JSON, and a checksum of that and of where it belongs."""
    body = msgspec.json.encode(entry)
    return _CHECKED + _sum(account, entry.nonce, body) + body


def unpacked(account: Address, nonce: int, kept: object) -> Entry:
    """The entry in what is kept under an account and a nonce.

    Raises:
        ValueError: it is not what was written there.
    """
    if not isinstance(kept, bytes):
        raise ValueError(f"nonce {nonce}: no entry")
    body = kept
    if kept[:1] == _CHECKED:
        body = kept[5:]
        if kept[1:5] != _sum(account, nonce, body):
            raise ValueError(f"nonce {nonce}: its checksum is another")
    entry = msgspec.json.decode(body, type=Entry)
    if entry.nonce != nonce:
        raise ValueError(f"nonce {nonce}: it was {entry.nonce}")
    return entry


def _sum(account: Address, nonce: int, body: bytes) -> bytes:
    return crc32(body, crc32(account + nonce.to_bytes(8, "big"))).to_bytes(4, "big")


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
