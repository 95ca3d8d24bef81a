"""Keeps one place up to date, in a thread of its own: no payment ever waits for a backup.

    node's thread ── note ──► queue ──► what changed ──► entry ──► place

What both sides sign leaves at once, statements and what the user notes at most once a second. It
goes on after any trouble of the place with what is new by then. An entry of ours at the place that
is later than our store says that our store is old, or that another device writes with its number:
`later` is called, once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from perun.app import values as v
from perun.backup.contents import Key, kept, key_in
from perun.backup.entries import BadEntry, Standing, seal_entry
from perun.backup.keys import BackupKeys
from perun.backup.remote import AwaitedPlace, PlaceConflict, PlaceFailed, proved
from perun.backup.requests import MOST_ENTRY
from perun.core.books import Row
from perun.core.state import Totals
from perun.encoding.records import Extra
from perun.errors import PeerFault
from perun.node.at_once import finish
from perun.node.profile import Profile
from perun.node.told import chain_apart

__all__ = ["Feed", "FeedState", "Source"]

_STATEMENTS: Final = 1.0
"""Seconds between two entries that hold nothing but statements."""
_LOOK: Final = 60.0
"""Seconds after which an idle feed asks what the place has."""
_RETRY: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
_MOMENT: Final = 0.25
"""Seconds between two looks for what is new, in an event loop."""
_LONG: Final = 256
"""Entries after which a snapshot takes their place."""

_Noted = tuple[int, Sequence[Row], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Source:
    """The store that is kept."""

    keys: BackupKeys
    number: int
    """The store's."""
    profile: Profile
    keyfile: str
    """The account's encrypted key, if the phrase does not give it; else empty."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """How things stand with a place, for people."""

    place: str
    kept: int
    """Number of our newest entry there; 0: none yet."""
    count: int
    """… and of our store."""
    at: float | None
    """Seconds since the place last took one, or said that it has it."""
    trouble: str

    def shown(self) -> v.Backup:
        """As the interface says it."""
        return v.Backup(
            name=self.place,
            entry=self.kept,
            of=self.count,
            age=None if self.at is None else int(self.at),
            trouble=self.trouble[: v.MOST_TEXT],
        )


class Feed:
    """From `start` to `stop`."""

    def __init__(
        self,
        place: AwaitedPlace,
        source: Source,
        count: int,
        rows: Iterable[Row],
        later: Callable[[str, int, int], None],
        tell: Callable[[PeerFault], None] = lambda _: None,
    ) -> None:
        """Args:
        count: how many commits the store has had.
        rows: what it holds.
        later: the place's name, the number of its newest entry, ours. From the feed's thread.
        tell: hears of trouble when it begins.
        """
        self._place, self._source = place, source
        self._slot = source.keys.slot(source.number)
        self._later, self._tell = later, tell
        self._queue: deque[_Noted] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self.looked = threading.Event()
        """Set once the place has said what it has, for the first time."""
        self._thread = threading.Thread(
            target=self._run, name=f"perun-backup-{place.name}", daemon=True
        )
        # Below: only in the thread.
        self._count = count
        self._rows: dict[Key, Row] = {}
        self._changed: dict[Key, None] = {}
        self._urgent = False
        self._base: Standing | None = None
        self._tried: Standing | None = None
        """What we sent last: it may be there although the answer was lost."""
        self._sure = False
        """Whether the place's newest entry is known to be `_base`."""
        self._entries = 0
        self._sent = 0.0
        self._fails = 0
        self._trouble = ""
        self._again = 0.0
        self._over = False
        for row in rows:
            if (key := key_in(row)) is not None:
                self._rows[key] = row

    def start(self) -> None:
        """Asks what the place has, and goes on from there."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Sends what is left, if the place takes it by then."""
        self._stopping = True
        self._wake.set()
        self._thread.join(seconds)

    def note(self, count: int, rows: Sequence[Row], drops: Sequence[Row]) -> None:
        """The store has committed this; returns at once."""
        self._queue.append((count, rows, drops))
        self._wake.set()

    @property
    def state(self) -> FeedState:
        """How it stands; from any thread."""
        base, sent = self._base, self._sent
        at = time.monotonic() - sent if sent else None
        return FeedState(
            self._place.name, base.number if base else 0, self._count, at, self._trouble
        )

    # ------------------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        try:
            self._live()
        finally:
            self._place.close()

    def _live(self) -> None:
        pause = 0.0
        while not self._over:
            self._wake.wait(pause)
            self._wake.clear()
            last = self._stopping
            self._take_in()
            if not last and self._fails and time.monotonic() < self._again:
                pause = self._again - time.monotonic()
                continue
            pause = finish(self._tried_to_go_on(last))
            if last:
                return

    async def live(self) -> None:
        """The same in an event loop, which `note` is called in, until it is cancelled or over."""
        due = 0.0
        while not self._over:
            self._take_in()
            if time.monotonic() >= due or (self._urgent and not self._fails):
                due = time.monotonic() + await self._tried_to_go_on(last=False)
            await asyncio.sleep(_MOMENT)

    async def _tried_to_go_on(self, last: bool) -> float:
        """Seconds until it is to be called again, unless something urgent comes."""
        try:
            await self._go_on(last)
            self._fails, self._trouble = 0, ""
            return self._pause()
        except PeerFault as error:
            self._fail(error)
            return self._again - time.monotonic()

    def _fail(self, error: PeerFault) -> None:
        if not self._fails:
            self._tell(error)
        self._trouble, self._sure = str(error), False
        self._again = time.monotonic() + _RETRY[min(self._fails, len(_RETRY) - 1)]
        self._fails += 1

    def _pause(self) -> float:
        return _STATEMENTS if self._changed else _LOOK

    def _take_in(self) -> None:
        while self._queue:
            count, rows, drops = self._queue.popleft()
            self._count = max(self._count, count)
            for row in rows:
                if (key := key_in(row)) is not None:
                    self._change(key, row)
            for row in drops:
                key = key_in(row)
                if key is not None and self._rows.pop(key, None) is not None:
                    self._changed[key] = None

    def _change(self, key: Key, row: Row) -> None:
        before = self._rows.get(key)
        self._rows[key] = row
        if before is None or chain_apart(before) != chain_apart(row):
            self._changed[key] = None
            self._urgent = self._urgent or not isinstance(row, Totals | Extra)

    async def _go_on(self, last: bool) -> None:
        """Sends what is due, after a look if there was none."""
        now = time.monotonic()
        if not self._sure or (not self._changed and now - self._sent >= _LOOK):
            await self._look()
        if self._over or not (self._changed or (self._base is None and self._rows)):
            return
        if self._urgent or last or self._base is None or now - self._sent >= _STATEMENTS:
            await self._send()

    async def _look(self) -> None:
        newest = await self._place.newest(self._slot)
        self._sent = time.monotonic()
        if newest is not None and newest == self._tried:
            self._stands(newest)
        elif newest is not None and newest != self._base and newest.number >= self._count:
            await self._compare(newest)
        elif newest != self._base:
            if self._base is not None:
                had, has = self._base.number, newest.number if newest else 0
                self._tell(
                    PlaceFailed(self._place.name, f"it had taken entry {had}, and has {has}")
                )
            self._base = None
        self._sure = True
        self.looked.set()

    async def _compare(self, newest: Standing) -> None:
        """The place has an entry that is as new as our store, or newer, and not of this process."""
        await self._open(newest)
        if newest.number > self._count or self._base is not None:
            self._give_up(newest)
        else:
            # All of our store is there, from the process before.
            self._stands(newest)

    def _stands(self, newest: Standing) -> None:
        """The place's newest entry is ours."""
        self._base = newest
        if newest.number >= self._count:
            self._changed.clear()
            self._urgent = False

    async def _open(self, newest: Standing) -> None:
        """That it is ours, and no number that the place has made up.

        Raises:
            BadEntry: the place lies.
        """
        shown = await proved(self._place, self._source.keys, self._slot, newest.number)
        if shown != newest:
            raise BadEntry(f"the place names {newest.number}, and shows another")

    def _give_up(self, newest: Standing) -> None:
        self._over = True
        self._trouble = f"it has a later entry than our store: {newest.number}, ours {self._count}"
        self._later(self._place.name, newest.number, self._count)

    async def _send(self) -> None:
        source, count = self._source, self._count
        after = None if self._entries >= _LONG else self._base
        if after is None:
            content = kept(
                source.number, count, self._rows.values(), (), source.profile, source.keyfile
            )
        else:
            there = [key for key in self._changed if key in self._rows]
            gone = [key for key in self._changed if key not in self._rows]
            content = kept(source.number, count, [self._rows[key] for key in there], gone)
        if len(content) > MOST_ENTRY:
            raise BadEntry(f"{len(content)} bytes at once; places take {MOST_ENTRY}")
        entry = seal_entry(source.keys, self._slot, count, after, content)
        self._tried = entry.standing
        try:
            self._base = await self._place.put(self._slot, entry)
        except PlaceConflict as error:
            newest = error.newest
            if newest is not None and newest.number >= count:
                await self._open(newest)
                self._give_up(newest)
                self.looked.set()
                return
            raise
        self._entries = 0 if after is None else self._entries + 1
        self._sent = time.monotonic()
        self._changed.clear()
        self._urgent = False
