"""A daemon's backups: a feed for each place, and what the places say of our own age."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from perun.app import values as v
from perun.backup.feed import Feed, FeedState, Source
from perun.backup.keys import BackupKeys
from perun.backup.places import AtOnce, Place, place_of
from perun.backup.remote import proved
from perun.core.inputs import Outdated
from perun.daemon.keyring import Keyring
from perun.encoding.records import Extra
from perun.errors import PeerFault
from perun.node.assembly import Assembly
from perun.node.at_once import finish
from perun.node.told import rows_of

__all__ = ["Backups", "Lookout"]

_FIRST_LOOK: Final = 10.0
"""Seconds that a start waits for its places: then peers alone tell whether the store is old."""
_LOOK: Final = 20.0
_ALIVE: Final = 180
"""Seconds: a store says that it is alive once a minute."""


# Rule store-4.
class Backups:
    """From `start` to `stop`."""

    def __init__(
        self,
        assembly: Assembly,
        keyring: Keyring,
        places: tuple[str, ...],
        keyfile: str,
        noted: Iterable[Extra],
        tell: Callable[[PeerFault], None],
    ) -> None:
        """Asks nothing yet.

        Args:
            places: as people name them.
            keyfile: the account's encrypted key; left out where the phrase gives it.
            noted: what the program above has noted so far.
        """
        self._assembly = assembly
        self._feeds: list[Feed] = []
        if not places or assembly.node.books.exit_only:
            return
        keys = BackupKeys(keyring.backup)
        own = assembly.profile.account == keyring.account.address
        source = Source(keys, keyring.number, assembly.profile, "" if own else keyfile)
        rows = (*rows_of(assembly.node.books), *noted)
        for text in places:
            place = place_of(text, keys)
            feed = Feed(AtOnce(place), source, assembly.store.count, rows, self._is_old, tell)
            assembly.follow(feed.note)
            self._feeds.append(feed)

    def start(self) -> None:
        """Asks every place for its newest entry, and waits for them, within bounds, before the node
        may sign anything."""
        for feed in self._feeds:
            feed.start()
        end = time.monotonic() + _FIRST_LOOK
        for feed in self._feeds:
            feed.looked.wait(max(0.0, end - time.monotonic()))

    def stop(self) -> None:
        """Sends what is left."""
        for feed in self._feeds:
            feed.stop()

    @property
    def states(self) -> list[FeedState]:
        """How things stand with each place."""
        return [feed.state for feed in self._feeds]

    def shown(self) -> tuple[v.Backup, ...]:
        """… for people."""
        return tuple(one.shown() for one in self.states)

    def _is_old(self, place: str, theirs: int, ours: int) -> None:
        reason = f"backup place {place} has entry {theirs} of it, this store has written {ours}"
        self._assembly.node.post((Outdated(reason),))


# Rule store-6.
class Lookout:
    """Of an exit-only node: whether the store that it was restored from is alive, or a place knows
    a later entry. Until that is known to be over no Close is signed: it would be of an old state;
    and nobody is dialled, since the newer link of an id throws out the older.
    """

    def __init__(
        self,
        assembly: Assembly,
        keyring: Keyring,
        places: tuple[str, ...],
        clear: Callable[[], None],
    ) -> None:
        """Asks nothing yet.

        Args:
            clear: called once, when nothing speaks against it any more; from a thread of its own
                unless there is no place to ask.
        """
        self._clear = clear
        self._cleared = False
        keys = BackupKeys(keyring.backup)
        self._keys, self._slot = keys, keys.slot(keyring.number)
        self._places = [place_of(text, keys) for text in places]
        restored = assembly.store.get("restored")
        self._ours = int.from_bytes(restored or b"", "big")
        self._why: dict[str, str] = {
            place.name: "it was not asked yet whether the other store is alive"
            for place in self._places
        }
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="perun-lookout", daemon=True)

    def start(self) -> None:
        """Asks again and again."""
        if self._places:
            self._thread.start()
        else:
            self._clear()

    def stop(self) -> None:
        """Asks no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def why_no_close(self) -> str | None:
        """Why nothing may be closed by agreement now, and nobody dialled; from any thread."""
        return next((why for why in self._why.values() if why), None)

    def _run(self) -> None:
        while not self._stopping.is_set():
            for place in self._places:
                self._why[place.name] = self._look(place)
            if not self._cleared and self.why_no_close() is None:
                self._cleared = True
                self._clear()
            self._stopping.wait(_LOOK)
        for place in self._places:
            place.close()

    def _look(self, place: Place) -> str:
        try:
            found = next((one for one in place.slots() if one.slot == self._slot), None)
            if found is not None and found.number > self._ours:
                finish(proved(AtOnce(place), self._keys, self._slot, found.number))
        except PeerFault:
            return ""  # Peers still tell.
        if found is None:
            return ""
        if found.number > self._ours:
            return f"{place.name} has a later backup than this store: restore that one"
        if found.idle < _ALIVE:
            return f"the store that this one comes of was alive {found.idle} s ago: close it there"
        return ""
