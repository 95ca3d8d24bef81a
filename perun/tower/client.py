"""Keeps one tower up to date, in a thread of its own, and remembers what it has acknowledged.

Only what a tower says that it has counts, and only as long as it sees the chain.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.core.books import Row, row_key
from perun.core.state import ChannelView, InstanceView, Totals
from perun.crypto import SecretKey
from perun.encoding.addresses import NodeAddress, parse_host, url_of
from perun.errors import ChainFault, PeerFault
from perun.node.at_once import Asker, finish
from perun.node.export import export_text
from perun.node.newer import Heights
from perun.node.profile import Profile
from perun.node.told import chain_apart
from perun.tower.requests import MOST_EXPORT, TOWER_PATH, Answer, Request
from perun.types import ChannelId, InstanceId, Version

__all__ = ["TowerClient", "TowerFailed", "TowerState"]

_SECONDS: Final = 30.0
"""Of one answer."""
_STATEMENTS: Final = 1.0
_LOOK: Final = 60.0
_MOMENT: Final = 0.25
"""Seconds between two looks for what is new, in an event loop."""
_RETRY: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
_BLIND: Final = 600
"""Seconds behind our clock after which a tower's newest block shows that it sees nothing."""
_MOST_ANSWER: Final = 2**20
_KINDS: Final = (ChannelView, InstanceView, Totals)

Key = tuple[type, bytes]


@dataclass(eq=False)
class TowerFailed(PeerFault):
    """A tower does not answer, or does not watch."""

    tower: str
    reason: str

    template: ClassVar[str] = "tower {tower}: {reason}"
    hint: ClassVar[str] = "stay online, or add another tower"


@dataclass(frozen=True, slots=True)
class TowerState:
    """How things stand with a tower, for people."""

    tower: str
    channels: int
    """That it has acknowledged."""
    sees: int
    """Time of the newest block that it has seen; 0: not known."""
    trouble: str


class TowerClient:
    """From `start` to `stop`."""

    def __init__(
        self,
        address: str,
        key: SecretKey,
        profile: Profile,
        rows: Iterable[Row],
        asker: Asker,
        tell: Callable[[PeerFault], None] = lambda _: None,
    ) -> None:
        """Args:
        address: `host[:port]` or `perun1…@host`.
        key: the node's.
        rows: what the store holds.
        tell: hears of trouble when it begins.
        """
        self.host = NodeAddress.parse(address).host if "@" in address else parse_host(address)
        self._url = url_of(self.host, TOWER_PATH)
        self._asker = asker
        self._key, self._profile, self._tell = key, profile, tell
        self._queue: deque[tuple[Sequence[Row], Sequence[Row]]] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(
            target=self._run, name=f"perun-tower-{self.host}", daemon=True
        )
        self._answer: tuple[Heights, int] = ({}, 0)
        self._trouble = ""
        self._named: frozenset[bytes] = frozenset()
        """The channels that were shown last; what else is acknowledged are machines."""
        # Below: only in the thread.
        self._rows: dict[Key, Row] = {_key(row): row for row in rows if type(row) in _KINDS}
        self._dirty = self._urgent = bool(self._rows)
        self._sent = 0.0
        self._fails = 0

    def start(self) -> None:
        """Tells the tower what there is."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Tells what is left, if the tower takes it by then."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def note(self, _count: int, rows: Sequence[Row], drops: Sequence[Row]) -> None:
        """See `perun.node.told.Follower`."""
        self._queue.append((rows, drops))
        self._wake.set()

    def version(self, channel: ChannelId) -> Version | None:
        """Up to which state it answers for a channel; None: it does not. From any thread."""
        known, sees = self._answer
        if channel not in known or time.time() - sees > _BLIND:
            return None
        return Version(known[channel])

    def knows(self, machine: InstanceId, total: int) -> bool:
        """Whether it answers with this total, or a higher one."""
        return self._answer[0].get(machine, 0) >= total

    @property
    def state(self) -> TowerState:
        """From any thread."""
        _, sees = self._answer
        watched = [id for id in self._named if self.version(ChannelId(id)) is not None]
        return TowerState(self.host, len(watched), sees, self._trouble)

    # ------------------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        pause = 0.0
        while True:
            self._wake.wait(pause)
            self._wake.clear()
            last = self._stopping
            self._take_in()
            pause = self._due(last)
            if pause <= 0:
                pause = finish(self._go_on(last))
            if last:
                self._asker.close()
                return

    async def live(self) -> None:
        """The same in an event loop, which `note` is called in, until it is cancelled."""
        while True:
            self._take_in()
            if self._due(last=False) <= 0:
                await self._go_on(last=False)
            await asyncio.sleep(_MOMENT)

    def _due(self, last: bool) -> float:
        """Seconds until something is to be said."""
        if self._fails and not last:
            wait = _RETRY[min(self._fails, len(_RETRY)) - 1]
        elif last or (self._dirty and self._urgent):
            wait = 0.0
        else:
            wait = _STATEMENTS if self._dirty else _LOOK
        return self._sent + wait - time.monotonic()

    async def _go_on(self, last: bool) -> float:
        if last and not self._dirty:
            return 0.0
        try:
            await (self._push() if self._dirty else self._look())
            self._fails, self._trouble = 0, ""
        except PeerFault as error:
            if not self._fails:
                self._tell(error)
            self._fails += 1
            self._trouble = str(error)
        self._sent = time.monotonic()
        return max(0.01, self._due(last=False))

    def _take_in(self) -> None:
        while self._queue:
            rows, drops = self._queue.popleft()
            for row in rows:
                if type(row) in _KINDS:
                    self._change(_key(row), row)
            for row in drops:
                if self._rows.pop(_key(row), None) is not None:
                    self._dirty = True

    def _change(self, key: Key, row: Row) -> None:
        before = self._rows.get(key)
        self._rows[key] = row
        ended = isinstance(row, ChannelView) and row.final.ended
        if before is None or ended or chain_apart(before) != chain_apart(row):
            self._dirty = True
            self._urgent = self._urgent or type(row) is not Totals

    async def _push(self) -> None:
        text = export_text(self._profile, self._rows.values())
        if len(text) > MOST_EXPORT:
            raise TowerFailed(self.host, f"{len(text)} bytes; a tower takes {MOST_EXPORT}")
        await self._ask(text)
        self._named = frozenset(
            row.id for row in self._rows.values() if isinstance(row, ChannelView)
        )
        self._dirty = self._urgent = False

    async def _look(self) -> None:
        before, _ = self._answer
        await self._ask(b"")
        if self._answer[0] != before:
            self._dirty = self._urgent = bool(self._rows)

    async def _ask(self, content: bytes) -> None:
        request = Request.sign(self._key, self.host, int(time.time()), content)
        try:
            answer = await self._asker.ask(
                self._url, request, Answer, seconds=_SECONDS, most=_MOST_ANSWER
            )
        except ChainFault as error:
            raise TowerFailed(self.host, str(getattr(error, "reason", error))) from None
        if answer.refused:
            raise TowerFailed(self.host, answer.refused[:300])
        self._answer = dict(answer.heights), answer.sees


def _key(row: Row) -> Key:
    return type(row), row_key(row)
