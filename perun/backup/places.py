"""Places for threads: one over HTTPS, or a folder of one's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from perun.backup.entries import Entry, Standing
from perun.backup.keys import BackupKeys
from perun.backup.remote import AwaitedPlace, PlaceConflict, PlaceFailed, RemotePlace
from perun.backup.requests import SlotAnswer
from perun.backup.shelf import NotNext, Shelf
from perun.chain.provider import BlockingAsker
from perun.errors import StoreFault
from perun.node.at_once import finish

__all__ = ["AtOnce", "Blocking", "FolderPlace", "Place", "place_of"]


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
    return Blocking(RemotePlace(text, keys, BlockingAsker()))


class Blocking:
    """A place whose asker blocks."""

    def __init__(self, place: AwaitedPlace) -> None:
        self._place = place

    @property
    def name(self) -> str:
        """See `Place`."""
        return self._place.name

    def newest(self, slot: bytes) -> Standing | None:
        """See `Place`."""
        return finish(self._place.newest(slot))

    def put(self, slot: bytes, entry: Entry) -> Standing:
        """See `Place`."""
        return finish(self._place.put(slot, entry))

    def slots(self) -> list[SlotAnswer]:
        """See `Place`."""
        return finish(self._place.slots())

    def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """See `Place`."""
        return finish(self._place.read(slot, after))

    def close(self) -> None:
        """See `Place`."""
        self._place.close()


class AtOnce:
    """A place that blocks, for whoever waits: `AwaitedPlace`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def name(self) -> str:
        """See `AwaitedPlace`."""
        return self._place.name

    async def newest(self, slot: bytes) -> Standing | None:
        """See `AwaitedPlace`."""
        return self._place.newest(slot)

    async def put(self, slot: bytes, entry: Entry) -> Standing:
        """See `AwaitedPlace`."""
        return self._place.put(slot, entry)

    async def slots(self) -> list[SlotAnswer]:
        """See `AwaitedPlace`."""
        return self._place.slots()

    async def read(self, slot: bytes, after: int = 0) -> list[Entry]:
        """See `AwaitedPlace`."""
        return self._place.read(slot, after)

    def close(self) -> None:
        """See `AwaitedPlace`."""
        self._place.close()


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
