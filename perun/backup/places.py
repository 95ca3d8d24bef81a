"""Asking a place: one over HTTPS, or a folder of one's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
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
from perun.backup.shelf import NotNext, Shelf
from perun.chain.provider import Pages
from perun.encoding.addresses import NodeAddress, parse_host
from perun.errors import ChainFault, PeerFault, StoreFault

__all__ = [
    "FolderPlace",
    "Place",
    "PlaceConflict",
    "PlaceFailed",
    "RemotePlace",
    "place_of",
    "proved",
]

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
_HERE: Final = ("127.0.0.1", "localhost", "[::1]")


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


class Place(Protocol):
    """Keeps entries of one phrase; methods raise `PlaceFailed`."""

    @property
    def name(self) -> str:
        """For people."""

    def newest(self, slot: bytes) -> Standing | None:
        """The newest entry of a store of ours; also says that we are alive."""

    def put(self, slot: bytes, entry: Entry) -> Standing:
        """Keeps an entry; raises `PlaceConflict` if it does not continue the newest."""

    def slots(self) -> list[SlotAnswer]:
        """All stores of this phrase."""

    def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """All entries above a number."""

    def close(self) -> None:
        """Asks no more."""


def place_of(text: str, keys: BackupKeys) -> Place:
    """The place that people mean: `host[:port]`, `perun1…@host`, or a folder's path."""
    if text.startswith(("/", "~", ".")):
        return FolderPlace(Path(text).expanduser(), keys)
    host = NodeAddress.parse(text).host if "@" in text else parse_host(text)
    return RemotePlace(host, keys)


def proved(place: Place, keys: BackupKeys, slot: bytes, number: int) -> Standing:
    """The entry with a number that a place names, which only our phrase can have sealed.

    Raises:
        BadEntry: the place has made the number up.
    """
    found = place.read(slot, number - 1)
    if not found or found[0].number != number:
        raise BadEntry(f"{place.name} names {number}, and does not show it")
    open_entry(keys, slot, found[0])
    return found[0].standing


class RemotePlace:
    """One that others run."""

    def __init__(self, host: str, keys: BackupKeys) -> None:
        """Asks nothing yet."""
        self.name = host
        self._keys = keys
        bare = host if host.endswith("]") else host.rpartition(":")[0] or host
        self._url = f"{'http' if bare in _HERE else 'https'}://{host}{BACKUP_PATH}"
        self._pages = Pages()

    def newest(self, slot: bytes) -> Standing | None:
        """See `Place`."""
        return self._ask("newest", slot).standing

    def put(self, slot: bytes, entry: Entry) -> Standing:
        """See `Place`."""
        answer = self._ask("put", slot, entry.data)
        if answer.standing != entry.standing:
            raise PlaceConflict(self.name, answer.refused or "another entry", answer.standing)
        return entry.standing

    def slots(self) -> list[SlotAnswer]:
        """See `Place`."""
        found = self._ask("slots", _NO_SLOT).slots
        if len(found) > _MOST_SLOTS:
            raise PlaceFailed(self.name, f"{len(found)} stores of one phrase")
        return list(found)

    def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """See `Place`."""
        found: list[Entry] = []
        size, end = 0, time.monotonic() + _MOST_SECONDS
        while True:
            answer = self._ask("read", slot, after.to_bytes(8, "big"))
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
        """See `Place`."""
        self._pages.close()

    def _ask(self, action: Action, slot: bytes, content: bytes = b"") -> Answer:
        request = Request.sign(self._keys, action, int(time.time()), slot, content)
        try:
            answer = self._pages.ask(
                self._url, request, Answer, seconds=_SECONDS, most=_MOST_ANSWER
            )
        except ChainFault as error:
            raise PlaceFailed(self.name, str(getattr(error, "reason", error))) from None
        if answer.refused and answer.standing is None:
            raise PlaceFailed(self.name, answer.refused[:300])
        if answer.number and len(answer.hash) != 32:
            raise PlaceFailed(self.name, "no answer of a place")
        return answer


class FolderPlace:
    """A folder, on another disk or carried elsewhere by a tool of yours."""

    def __init__(self, folder: Path, keys: BackupKeys) -> None:
        """Makes nothing yet."""
        self.name = str(folder)
        self._folder, self._keys = folder, keys
        self._shelf: Shelf | None = None

    def _open(self) -> Shelf:
        try:
            self._shelf = self._shelf or Shelf(self._folder)
        except StoreFault as error:
            raise PlaceFailed(self.name, str(error)) from None
        return self._shelf

    def newest(self, slot: bytes) -> Standing | None:
        """See `Place`."""
        shelf = self._open()
        try:
            shelf.touch(self._keys.name, slot)
            return shelf.newest(self._keys.name, slot)
        except StoreFault as error:
            raise PlaceFailed(self.name, str(error)) from None

    def put(self, slot: bytes, entry: Entry) -> Standing:
        """See `Place`."""
        shelf = self._open()
        try:
            return shelf.put(self._keys.name, slot, entry)
        except NotNext as error:
            newest = shelf.newest(self._keys.name, slot)
            raise PlaceConflict(self.name, str(error), newest) from None
        except StoreFault as error:
            raise PlaceFailed(self.name, str(error)) from None

    def slots(self) -> list[SlotAnswer]:
        """See `Place`."""
        moment = int(time.time())
        try:
            found = self._open().slots(self._keys.name)
        except StoreFault as error:
            raise PlaceFailed(self.name, str(error)) from None
        return [SlotAnswer(one.slot, one.number, max(0, moment - one.seen)) for one in found]

    def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """See `Place`."""
        try:
            found = self._open().read(self._keys.name, slot, after, 2**40)
        except StoreFault as error:
            raise PlaceFailed(self.name, str(error)) from None
        return [Entry.parse(data) for data in found]

    def close(self) -> None:
        """See `Place`."""
