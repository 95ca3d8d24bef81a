"""A node's sessions over its links and its listener: which peer is called when, and by which way.

Lives in one event loop and holds what `Sessions` (no I/O) decides together with sockets. A peer is
called where it is attached: at our own listener, at the hosts we were told of, or at those of the
hub over which we have something with it. If it is nowhere, what was to be sent is lost, as a wire
may; who is to stay in reach is called again, with pauses as in `dialer`. Two nodes that have news
for each other meet whoever comes later: it calls.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.encoding.messages import MAX_MESSAGE_BYTES
from perun.errors import BrokenInvariant
from perun.ports import Member
from perun.wire.codes import RETRIED, Code
from perun.wire.dialer import Dialer, pause
from perun.wire.packets import MalformedPacket, read_packet
from perun.wire.parcels import Hello
from perun.wire.sessions import Admits, Arrived, Ended, Limits, Opened, Out, Outcome, Sessions
from perun.wire.sockets import Sockets

if TYPE_CHECKING:
    from perun.wire.listener import Listener

__all__ = ["Exchange", "LinkDown", "LinkUp", "News", "SessionDown", "SessionUp"]

_MEET_SECONDS: Final = 5.0
"""A peer is met at most so often: whatever is open with it is then sent again."""
_TICK_SECONDS: Final = 1.0
_MOST_PENDING: Final = 256 * 1024
"""Bytes that wait for one peer to be reached."""
_CALLS_AFTER_A_LOSS: Final = 8
"""For a peer that need not stay in reach."""
_MOST_PASSING: Final = 64
"""Hosts at which a peer is called that need not stay in reach, as links of strangers name them …"""
_PASSING_SECONDS: Final = 600.0
"""… and for how long without a session; a payment looks for its way no longer."""
_NODE_IS_BEHIND: Final = 64
"""Packets that wait for the node: above, its peers wait too."""
_LOOK_AGAIN_SECONDS: Final = 0.002


class LinkUp(NamedTuple):
    """Attached at a host."""

    host: str


class LinkDown(NamedTuple):
    """Not (any more) attached at a host."""

    host: str
    code: int
    reason: str
    stays_away: bool
    """It is not dialled again: another device has taken our place."""


class SessionUp(NamedTuple):
    """A peer can be spoken to."""

    peer: PeerId
    hello: Hello


class SessionDown(NamedTuple):
    """A peer cannot be spoken to (any more)."""

    peer: PeerId
    code: int
    reason: str


News = LinkUp | LinkDown | SessionUp | SessionDown


@dataclass(slots=True)
class _Called:
    """A peer that we call, or have called."""

    hosts: list[str] = field(default_factory=list)
    hubs: set[PeerId] = field(default_factory=set)
    token: bytes = b""
    stay: bool = False
    pending: list[bytes] = field(default_factory=list)
    pending_bytes: int = 0
    tried: list[Any] = field(default_factory=list)
    calls: int = 0
    """Rounds without success."""
    since: float = 0.0
    """When the first of them was."""
    until: asyncio.TimerHandle | None = None


class _OwnRelay:
    """The way to whoever is attached at our own listener."""

    def __init__(self, exchange: Exchange, listener: Listener) -> None:
        self._exchange = exchange
        self._relay = listener.relay

    def send(self, data: bytes) -> None:
        """See `Dialer.send`."""
        self._relay.carry(self._exchange.own, data)

    def take(self, data: bytes) -> None:
        """See `perun.wire.relay.End`."""
        self._exchange.take(self, data)

    def leave(self, code: Code, reason: str) -> None:
        """Somebody with our own key has attached at our own listener."""
        self._exchange.usurped(code, reason)


class Exchange:
    """Everything of one node between `open` and `close`, in the loop in which they are awaited."""

    def __init__(
        self,
        key: SecretKey,
        hello: Hello,
        member: Member,
        sockets: Sockets,
        *,
        listener: Listener | None = None,
        admits: Admits | None = None,
        features: frozenset[int] = frozenset(),
        limits: Limits | None = None,
        report: Callable[[News], None] = lambda _: None,
    ) -> None:
        self._key = key
        self._member = member
        self._listener = listener
        self._admits = admits
        self._report = report
        self.sessions = Sessions(
            key.secret,
            hello,
            self._may_come,
            secrets.token_bytes,
            known=self._is_known,
            features=features,
            limits=limits,
        )
        self.own = self.sessions.own
        self.links: dict[str, Dialer] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._peers: dict[PeerId, _Called] = {}
        self._passing: dict[tuple[PeerId, str], float] = {}
        """Hosts that are left again, the longest unused first: since when nobody was there."""
        self._met: dict[PeerId, float] = {}
        self._to_meet: dict[PeerId, asyncio.TimerHandle] = {}
        self._came: deque[tuple[Any, bytes]] = deque()
        self._working = False
        self._waits_for_node = False
        self._sockets = sockets
        self._is_open = False
        self._ticking: asyncio.Task[None] | None = None
        self._own_relay = None if listener is None else _OwnRelay(self, listener)

    async def open(self) -> None:
        """Begins.

        Raises:
            OSError: the listener's address is taken, or not ours.
        """
        if self._own_relay is not None and self._listener is not None:
            await self._listener.start()
            self._listener.relay.attach(self.own, self._own_relay)
            self._listener.relay.gone = self._peer_gone
        await self._sockets.open()
        self._is_open = True
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Tells everybody that we leave, and is gone."""
        self._do(self.sessions.end(Code.LEAVING, "the node stops", _now()))
        for handle in self._to_meet.values():
            handle.cancel()
        for called in self._peers.values():
            if called.until is not None:
                called.until.cancel()
        await asyncio.gather(*(link.drain() for link in self.links.values()))
        tasks = [*self._tasks.values(), *([self._ticking] if self._ticking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            await self._listener.stop()
        self._is_open = False
        await self._sockets.close()

    # ------------------------------------------------------------------------- what is wanted

    def reach(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        """A host where a peer may be. We attach there, and call the peer.

        Args:
            stay: call it again whenever it is lost, for ever; else the host is left when nobody was
                there for a while, or too many others were named since.
        """
        called = self._peers.setdefault(peer, _Called(since=_now()))
        known = self._passing.pop((peer, host), None)
        if not stay and (host not in called.hosts or known is not None):
            self._passing[peer, host] = _now()
        if host not in called.hosts:
            called.hosts.append(host)
        called.token = token or called.token
        called.stay = called.stay or stay
        self._attach(host)
        self._call(peer)
        if len(self._passing) > _MOST_PASSING:
            idle = (place for place in self._passing if not self.sessions.is_open(place[0]))
            self._pass_on(*next(idle, next(iter(self._passing))))

    def _pass_on(self, peer: PeerId, host: str) -> None:
        """Leaves a host that need not stay; the peer is called elsewhere, if it was named."""
        del self._passing[peer, host]
        called = self._peers[peer]
        called.hosts.remove(host)
        if not (called.hosts or called.stay):
            self.forget(peer)
        self._leave(host)

    def _leave(self, host: str) -> None:
        """Nobody is called there any more; unless somebody is."""
        if any(host in called.hosts for called in self._peers.values()):
            return
        link, task = self.links.pop(host, None), self._tasks.pop(host, None)
        if link is not None and task is not None:
            task.cancel()
            self._do(self.sessions.lost(link))

    def forget(self, peer: PeerId) -> None:
        """The peer is no longer called; hosts at which nobody else is are left."""
        called = self._peers.pop(peer, None)
        if called is None:
            return
        if called.until is not None:
            called.until.cancel()
        self._do(self.sessions.end(Code.LEAVING, "not wanted any more", _now(), peer))
        for host in called.hosts:
            self._passing.pop((peer, host), None)
            self._leave(host)

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId) -> None:
        """Messages for a peer; they wait while it is called, and are lost if it is not there."""
        if max(map(len, frames), default=0) > MAX_MESSAGE_BYTES:
            raise BrokenInvariant(f"a message of more than {MAX_MESSAGE_BYTES} bytes")
        outcomes = self.sessions.send(peer, frames, _now())
        if outcomes is not None:
            self._do(outcomes)
            return
        called = self._peers.setdefault(peer, _Called(since=_now()))
        if via:
            called.hubs.add(via)
        called.pending_bytes += sum(map(len, frames))
        if called.pending_bytes > _MOST_PENDING:
            called.pending.clear()
            called.pending_bytes = 0
            return
        called.pending.extend(frames)
        self._call(peer)

    # ------------------------------------------------------------------------- calling

    def _attach(self, host: str) -> None:
        if host in self.links or not self._is_open:
            return
        dialer = self.links[host] = Dialer(host, self._key, self.own, self, self._sockets)
        self._tasks[host] = asyncio.create_task(dialer.run())

    def _routes(self, peer: PeerId, called: _Called) -> list[Any]:
        """By which ways it may be reached now."""
        routes: list[Any] = []
        if self._own_relay is not None and self._listener and peer in self._listener.relay:
            routes.append(self._own_relay)
        for one in (called, *(self._peers[hub] for hub in called.hubs if hub in self._peers)):
            for host in one.hosts:
                link = self.links.get(host)
                if link is not None and link.up and link not in routes:
                    routes.append(link)
        return routes

    def _call(self, peer: PeerId) -> None:
        """Tries the next way; when none is left, later all of them again."""
        called = self._peers.get(peer)
        if called is None or self.sessions.is_busy(peer):
            return
        for route in self._routes(peer, called):
            if route not in called.tried:
                called.tried.append(route)
                self._do(self.sessions.dial(peer, route, _now(), called.token))
                return
        called.tried.clear()
        called.pending.clear()
        called.pending_bytes = 0
        called.calls += 1
        if called.stay or 1 < called.calls <= _CALLS_AFTER_A_LOSS:
            self._call_later(peer, called)
        elif not called.hosts:
            del self._peers[peer]

    def _call_later(self, peer: PeerId, called: _Called) -> None:
        if called.until is not None:
            called.until.cancel()
        loop = asyncio.get_running_loop()
        wait = pause(called.calls - 1, loop.time() - called.since, random.random)

        def again() -> None:
            called.until = None
            self._call(peer)

        called.until = loop.call_later(wait, again)

    def _answered(self, peer: PeerId) -> None:
        """It is there: what waited goes to it, and the node meets it."""
        called = self._peers.get(peer)
        if called is not None:
            called.calls, called.since = 0, _now()
            called.tried.clear()
            if called.until is not None:
                called.until.cancel()
                called.until = None
            frames, called.pending, called.pending_bytes = called.pending, [], 0
            if frames:
                self._do(self.sessions.send(peer, frames, _now()))
        self._meet(peer)

    def _lost(self, ended: Ended) -> None:
        called = self._peers.get(ended.peer)
        if ended.code not in RETRIED:
            if called is not None:
                called.pending.clear()
                called.pending_bytes = 0
            return
        if ended.was_open:
            called = self._peers.setdefault(ended.peer, _Called())
            # So that somebody who need not stay in reach is called a few times.
            called.calls, called.since = 1, _now()
            called.tried.clear()
            self._call_later(ended.peer, called)
        elif called is not None:
            self._call(ended.peer)

    def _meet(self, peer: PeerId) -> None:
        loop = asyncio.get_running_loop()
        if peer in self._to_meet:
            return
        due = self._met.get(peer, -_MEET_SECONDS) + _MEET_SECONDS
        if loop.time() >= due:
            self._met[peer] = loop.time()
            self._member.meet(peer)
            return

        def later() -> None:
            del self._to_meet[peer]
            if self.sessions.is_open(peer):
                self._meet(peer)

        self._to_meet[peer] = loop.call_at(due, later)

    # ------------------------------------------------------------------------- what happens

    def link_up(self, dialer: Dialer) -> None:
        """See `perun.wire.dialer.LinkEvents`."""
        self._report(LinkUp(dialer.host))
        for peer, called in list(self._peers.items()):
            if called.stay or called.pending or called.calls:
                with suppress(ValueError):
                    called.tried.remove(dialer)
                if dialer in self._routes(peer, called):
                    self._call(peer)

    def link_down(self, dialer: Dialer, code: int, reason: str, stays_away: bool) -> None:
        """See `perun.wire.dialer.LinkEvents`."""
        self._report(LinkDown(dialer.host, code, reason, stays_away))
        self._do(self.sessions.lost(dialer))

    def link_packet(self, dialer: Dialer, data: bytes) -> None:
        """See `perun.wire.dialer.LinkEvents`."""
        self.take(dialer, data)

    def usurped(self, code: Code, reason: str) -> None:
        """Our own listener carries packets for us to somebody else with our key."""
        assert self._listener is not None
        self._report(LinkDown(self._listener.host, code, reason, True))
        self._do(self.sessions.lost(self._own_relay))

    def _peer_gone(self, peer: PeerId) -> None:
        """Whoever was attached at our own listener; what it comes back with knows no session."""
        self._do(self.sessions.lost(self._own_relay, peer))

    def take(self, route: Any, data: bytes) -> None:
        """A packet has come; what a packet of ours has caused waits until that is done."""
        self._came.append((route, data))
        if self._working:
            return
        self._working = True
        try:
            while self._came:
                by, one = self._came.popleft()
                self._take_one(by, one)
        finally:
            self._working = False

    def _take_one(self, route: Any, data: bytes) -> None:
        try:
            packet = read_packet(data)
        except MalformedPacket:
            return
        if packet.receiver == self.own:
            self._do(self.sessions.packet(route, packet, _now()))

    def _do(self, outcomes: Sequence[Outcome] | None) -> None:
        for it in outcomes or ():
            if type(it) is Out:
                route: Any = it.route
                route.send(it.packet)
            elif type(it) is Arrived:
                self._member.receive(it.peer, it.frames)
                if not self._waits_for_node and self._member.waiting > _NODE_IS_BEHIND:
                    self._wait_for_node()
            elif type(it) is Opened:
                self._report(SessionUp(it.peer, it.hello))
                self._answered(it.peer)
            elif type(it) is Ended:
                if it.was_open or it.code not in RETRIED:
                    self._report(SessionDown(it.peer, it.code, it.reason))
                self._lost(it)

    def _wait_for_node(self) -> None:
        """Peers are not told that there is room before the node has caught up."""
        self._waits_for_node = True
        self.sessions.full()
        loop = asyncio.get_running_loop()

        def look() -> None:
            if self._member.waiting > _NODE_IS_BEHIND // 2:
                loop.call_later(_LOOK_AGAIN_SECONDS, look)
                return
            self._waits_for_node = False
            self._do(self.sessions.room(_now()))

        loop.call_later(_LOOK_AGAIN_SECONDS, look)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now = _now()
            self._do(self.sessions.tick(now))
            for peer in [peer for peer, at in self._met.items() if now - at > _MEET_SECONDS]:
                del self._met[peer]
            for place, since in list(self._passing.items()):
                if self.sessions.is_open(place[0]):
                    self._passing[place] = now
                elif now - since > _PASSING_SECONDS:
                    self._pass_on(*place)

    # ------------------------------------------------------------------------- who may come

    def _is_known(self, peer: PeerId) -> bool:
        called = self._peers.get(peer)
        return (called is not None and bool(called.hosts)) or self._member.knows(peer)

    def _may_come(self, peer: PeerId, token: bytes) -> bool:
        return self._admits is not None and self._admits(peer, token)


def _now() -> float:
    return asyncio.get_running_loop().time()
