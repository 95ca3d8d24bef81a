"""Asking a place that others run, and what it answers wrong.

Written with `await`: in a page a place really is waited for; `perun.backup.places` has the same for
threads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from perun.backup.entries import BadEntry, Entry, Standing, open_entry
from perun.backup.keys import SLOT_BYTES, BackupKeys
from perun.backup.requests import (
    BACKUP_PATH,
    MOST_ENTRY,
    MOST_READ,
    Action,
    Answer,
    Request,
    SlotAnswer,
)
from perun.encoding.addresses import NodeAddress, parse_host, url_of
from perun.errors import ChainFault, PeerFault
from perun.node.at_once import Asker

__all__ = ["AwaitedPlace", "PlaceConflict", "PlaceFailed", "RemotePlace", "proved"]

_SECONDS: Final = 30.0
"""Of one answer."""
_MOST_ANSWER: Final = MOST_ENTRY + MOST_READ
_MOST_ENTRIES: Final = 100_000
_MOST_OF_A_STORE: Final = 128 * 2**20
"""Bytes; a place keeps half of it for all stores of a phrase."""
_MOST_SECONDS: Final = 600.0
"""In which all entries of a store have come."""
_MOST_SLOTS: Final = 64
"""As many as a place keeps of one phrase."""
_NO_SLOT: Final = bytes(SLOT_BYTES)


@dataclass(eq=False)
class PlaceFailed(PeerFault):
    """A place does not answer, or refuses."""

    place: str
    reason: str

    template: ClassVar[str] = "backup place {place}: {reason}"
    hint: ClassVar[str] = "nothing is lost as long as this device lives; add another place"


@dataclass(eq=False)
class PlaceConflict(PlaceFailed):
    """A place has another newest entry than we continue."""

    newest: Standing | None


class AwaitedPlace(Protocol):
    """Keeps entries of one phrase; methods raise `PlaceFailed`."""

    @property
    def name(self) -> str:
        """For people."""

    async def newest(self, slot: bytes) -> Standing | None:
        """The newest entry of a store of ours; also says that we are alive."""

    async def put(self, slot: bytes, entry: Entry) -> Standing:
        """Keeps an entry; raises `PlaceConflict` if it does not continue the newest."""

    async def slots(self) -> list[SlotAnswer]:
        """All stores of this phrase."""

    async def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """All entries above a number."""

    def close(self) -> None:
        """Asks no more."""


async def proved(place: AwaitedPlace, keys: BackupKeys, slot: bytes, number: int) -> Standing:
    """The entry with a number that a place names, which only our phrase can have sealed.

    Raises:
        BadEntry: the place has made the number up.
    """
    found = await place.read(slot, number - 1)
    if not found or found[0].number != number:
        raise BadEntry(f"{place.name} names {number}, and does not show it")
    open_entry(keys, slot, found[0])
    return found[0].standing


class RemotePlace:
    """One that others run."""

    def __init__(self, host: str, keys: BackupKeys, asker: Asker) -> None:
        """Asks nothing yet; `host` as people name it: `host[:port]` or `perun1…@host`."""
        host = NodeAddress.parse(host).host if "@" in host else parse_host(host)
        self.name = host
        self._keys = keys
        self._url = url_of(host, BACKUP_PATH)
        self._asker = asker

    async def newest(self, slot: bytes) -> Standing | None:
        """See `AwaitedPlace`."""
        return (await self._ask("newest", slot)).standing

    async def put(self, slot: bytes, entry: Entry) -> Standing:
        """See `AwaitedPlace`."""
        answer = await self._ask("put", slot, entry.data)
        if answer.standing != entry.standing:
            raise PlaceConflict(self.name, answer.refused or "another entry", answer.standing)
        return entry.standing

    async def slots(self) -> list[SlotAnswer]:
        """See `AwaitedPlace`."""
        found = (await self._ask("slots", _NO_SLOT)).slots
        if len(found) > _MOST_SLOTS:
            raise PlaceFailed(self.name, f"{len(found)} stores of one phrase")
        return list(found)

    async def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """See `AwaitedPlace`."""
        found: list[Entry] = []
        size, end = 0, time.monotonic() + _MOST_SECONDS
        while True:
            answer = await self._ask("read", slot, after.to_bytes(8, "big"))
            if not answer.entries:
                return found
            for data in answer.entries:
                entry = Entry.parse(data)
                if entry.number <= after or len(found) >= _MOST_ENTRIES:
                    raise PlaceFailed(self.name, "its entries do not ascend, or have no end")
                after = entry.number
                size += len(data)
                found.append(entry)
            if size > _MOST_OF_A_STORE or time.monotonic() > end:
                raise PlaceFailed(self.name, "its entries are too long, or too slow")

    def close(self) -> None:
        """See `AwaitedPlace`."""
        self._asker.close()

    async def _ask(self, action: Action, slot: bytes, content: bytes = b"") -> Answer:
        request = Request.sign(self._keys, action, int(time.time()), slot, content)
        try:
            answer = await self._asker.ask(
                self._url, request, Answer, seconds=_SECONDS, most=_MOST_ANSWER
            )
        except ChainFault as error:
            raise PlaceFailed(self.name, str(getattr(error, "reason", error))) from None
        if answer.refused and answer.standing is None:
            raise PlaceFailed(self.name, answer.refused[:300])
        if answer.number and len(answer.hash) != 32:
            raise PlaceFailed(self.name, "no answer of a place")
        return answer
