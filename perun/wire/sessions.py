"""All sessions of one node, as a state machine: packets in; packets, messages and news out. No I/O.

    dial ──► act one ─► act two ─► act three, Hello ─► Hello: open ─► boxes … ─► Bye, or silence

At most one session stands with each peer: a newer one takes its place. Where two handshakes of the
same two nodes cross, that of the lower id goes on. A *route* is whatever the caller carries packets
by, such as a link; a session lives and ends with its route. Time is an argument: seconds that never
go back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from perun.core.state import PeerId
from perun.crypto.agreement import public_key_of
from perun.wire.buckets import Bucket
from perun.wire.codes import Code
from perun.wire.noise import BadHandshake, Handshake, Transport
from perun.wire.packets import TAG_BYTES, Kind, Packet
from perun.wire.parcels import Bye, Hello
from perun.wire.session import Broken, Session, packet

__all__ = ["Arrived", "Ended", "Limits", "Opened", "Out", "Outcome", "Sessions"]

Route = Hashable
_EMPTY_ACT_ONE: Final = 50
_LONGEST_TOKEN: Final = 64


class Out(NamedTuple):
    """Send this packet by that route."""

    route: Route
    packet: bytes


class Arrived(NamedTuple):
    """Messages from a peer, in order and once."""

    peer: PeerId
    frames: list[bytes]


class Opened(NamedTuple):
    """A session stands with a peer, for the first time or again."""

    peer: PeerId
    hello: Hello


class Ended(NamedTuple):
    """A session, or our attempt at one, is over. Nothing more comes of it."""

    peer: PeerId
    code: Code
    reason: str
    was_open: bool


Outcome = Out | Arrived | Opened | Ended
Admits = Callable[[PeerId, bytes], bool]
"""Whether somebody may have a session with us; with the token that it shows, or without one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers and slow peers may cost."""

    handshake_seconds: float = 10
    half_open: int = 1_024
    """Handshakes that others began and have not finished: the oldest goes first."""
    strangers_each_second: float = 200
    """Handshakes of peers that show a token, or whom nobody must know: of all together."""
    each_peers_second: float = 2
    """Handshakes of one known peer."""
    waiting: int = 64 * 2**20
    """Bytes that wait for all peers together to have room."""


@dataclass(slots=True)
class _Attempt:
    """A handshake that is not finished."""

    peer: PeerId
    route: Route
    tag: bytes
    handshake: Handshake
    until: float
    act_one: bytes = b""


class Sessions:
    """Ours. Each method says what is to be done because of it, in order."""

    def __init__(
        self,
        secret: bytes,
        hello: Hello,
        admits: Admits,
        random: Callable[[int], bytes],
        *,
        known: Callable[[PeerId], bool] = lambda _: False,
        features: frozenset[int] = frozenset(),
        limits: Limits | None = None,
    ) -> None:
        """Nobody is there yet.

        Args:
            secret: our node's key.
            admits: decides who may have a session with us; everybody else hears that we are away.
            random: fresh random bytes.
            known: a peer whose handshakes do not count among those of strangers.
            features: even features that we understand.
        """
        self._secret = secret
        self.own: PeerId = public_key_of(secret)
        self._hello = hello
        self._admits = admits
        self._known = known
        self._random = random
        self._features = features
        self._limits = limits or Limits()
        self._sessions: dict[PeerId, Session] = {}
        self._dialled: dict[PeerId, _Attempt] = {}
        self._answered: OrderedDict[PeerId, _Attempt] = OrderedDict()
        self._strangers = Bucket(self._limits.strangers_each_second)
        self._buckets: dict[PeerId, Bucket] = {}
        self._full = False
        self._waiting = 0
        """Bytes that wait in all sessions together."""

    # ------------------------------------------------------------------------- what is asked of us

    def dial(self, peer: PeerId, route: Route, now: float, token: bytes = b"") -> list[Outcome]:
        """Begins a handshake, unless a session stands or a handshake is under way."""
        if peer in self._sessions or peer in self._dialled or peer in self._answered:
            return []
        try:
            handshake = Handshake(self._secret, self._random(32), peer)
            act = handshake.act_one(token)
        except BadHandshake as error:
            return [Ended(peer, Code.FAILED, str(error), False)]
        tag = self._random(TAG_BYTES)
        until = now + self._limits.handshake_seconds
        self._dialled[peer] = _Attempt(peer, route, tag, handshake, until, act)
        return [self._out(route, peer, Kind.ACT_ONE, tag, act)]

    def send(self, peer: PeerId, frames: Sequence[bytes], now: float) -> list[Outcome] | None:
        """Messages for a peer; None, and they are lost, if no session is open."""
        session = self._sessions.get(peer)
        if session is None or not session.open:
            return None
        before = session.waiting_bytes
        try:
            session.put(frames)
        except Broken as broken:
            self._waiting += session.waiting_bytes - before
            return self._break(session, broken, now)
        self._waiting += session.waiting_bytes - before
        return self._flush(session, now)

    def is_open(self, peer: PeerId) -> bool:
        """Whether messages to this peer would be taken."""
        session = self._sessions.get(peer)
        return session is not None and session.open

    def is_busy(self, peer: PeerId) -> bool:
        """Whether a session stands, or a handshake is under way."""
        return peer in self._sessions or peer in self._dialled or peer in self._answered

    def peers(self) -> list[PeerId]:
        """With whom a session is open."""
        return [session.peer for session in self._sessions.values() if session.open]

    def waiting(self, peer: PeerId | None = None) -> int:
        """Bytes that wait for this peer, or all, to have room."""
        if peer is None:
            return self._waiting
        session = self._sessions.get(peer)
        return 0 if session is None else session.waiting_bytes

    def full(self) -> None:
        """From now on what comes is not taken: peers stop when their window is used up."""
        self._full = True

    def room(self, now: float) -> list[Outcome]:
        """What came is taken, and what comes will be at once."""
        self._full = False
        outcomes: list[Outcome] = []
        for session in self._sessions.values():
            if session.held:
                outcomes += self._take(session, now)
        return outcomes

    def end(self, code: Code, reason: str, now: float, peer: PeerId | None = None) -> list[Outcome]:
        """Ends the session with a peer, or all of them; they are told."""
        outcomes: list[Outcome] = []
        for session in list(self._sessions.values()):
            if peer in (None, session.peer):
                outcomes += self._break(session, Broken(code, reason), now)
        for attempts in (self._dialled, self._answered):
            for one in list(attempts) if peer is None else [peer]:
                attempts.pop(one, None)
        return outcomes

    # ------------------------------------------------------------------------- what happens to us

    def lost(self, route: Route, peer: PeerId | None = None) -> list[Outcome]:
        """A route is gone, and everything on it; or a peer on it, where it has others too."""

        def gone(it: Session | _Attempt) -> bool:
            return it.route == route and peer in (None, it.peer)

        outcomes: list[Outcome] = []
        peers = (peer,) if peer is not None else (*self._sessions, *self._dialled, *self._answered)
        for one in peers:
            session, attempt = self._sessions.get(one), self._dialled.get(one)
            if session is not None and gone(session):
                outcomes.append(self._forget(session, Code.LOST, "the link is gone"))
            if attempt is not None and gone(attempt):
                del self._dialled[one]
                outcomes.append(Ended(one, Code.LOST, "the link is gone", False))
            answered = self._answered.get(one)
            if answered is not None and gone(answered):
                del self._answered[one]
        return outcomes

    def tick(self, now: float) -> list[Outcome]:
        """Time passes: about once a second."""
        outcomes: list[Outcome] = []
        for session in list(self._sessions.values()):
            try:
                box = session.beat(now)
            except Broken as broken:
                outcomes.append(self._forget(session, broken.code, broken.reason))
                continue
            if box is not None:
                outcomes.append(Out(session.route, packet(self.own, session, box)))
        for attempt in [it for it in self._dialled.values() if now >= it.until]:
            del self._dialled[attempt.peer]
            reason = f"no answer within {self._limits.handshake_seconds:g} seconds"
            outcomes.append(Ended(attempt.peer, Code.UNANSWERED, reason, False))
        while self._answered:
            oldest = next(iter(self._answered.values()))
            if now < oldest.until:
                break
            del self._answered[oldest.peer]
        if len(self._buckets) > self._limits.half_open:
            self._buckets = {
                peer: bucket for peer, bucket in self._buckets.items() if not bucket.is_full(now)
            }
        return outcomes

    def packet(self, route: Route, came: Packet, now: float) -> list[Outcome]:
        """A packet for us, whose sender's id the route vouches for. Garbage has no other effect
        than an answer or the end of its sender's session."""
        if came.kind == Kind.BOX:
            return self._on_box(route, came, now)
        if came.kind == Kind.ACT_ONE:
            return self._on_act_one(route, came, now)
        if came.kind == Kind.ACT_TWO:
            return self._on_act_two(route, came, now)
        if came.kind == Kind.ACT_THREE:
            return self._on_act_three(route, came, now)
        if came.kind == Kind.UNDELIVERED:
            return self._on_undelivered(route, came)
        return []

    # ------------------------------------------------------------------------- handshakes

    def _on_act_one(self, route: Route, came: Packet, now: float) -> list[Outcome]:
        peer, tag = came.sender, came.tag
        answered = self._answered.get(peer)
        if peer == self.own or (answered is not None and answered.tag == tag):
            return []
        if len(came.rest) > _EMPTY_ACT_ONE + _LONGEST_TOKEN:
            return [self._undelivered(route, came)]
        known = self._known(peer)
        if not known and len(came.rest) <= _EMPTY_ACT_ONE and not self._admits(peer, b""):
            return [self._undelivered(route, came)]
        if not self._bucket(peer, known, now).take(1, now):
            return [self._undelivered(route, came)]
        handshake = Handshake(self._secret, self._random(32))
        try:
            token = handshake.read_act_one(came.rest)
        except BadHandshake:
            return [self._undelivered(route, came)]
        if not known and token and not self._admits(peer, token):
            return [self._undelivered(route, came)]
        ours = self._dialled.get(peer)
        if ours is not None and self.own < peer:
            # Ours goes on, by this way, which works: where ours went first it may be lost.
            ours.route = route
            return [self._out(route, peer, Kind.ACT_ONE, ours.tag, ours.act_one)]
        self._dialled.pop(peer, None)
        self._answered.pop(peer, None)
        if len(self._answered) >= self._limits.half_open:
            self._answered.popitem(last=False)
        until = now + self._limits.handshake_seconds
        self._answered[peer] = _Attempt(peer, route, tag, handshake, until)
        return [self._out(route, peer, Kind.ACT_TWO, tag, handshake.act_two())]

    def _on_act_two(self, route: Route, came: Packet, now: float) -> list[Outcome]:
        ours = self._dialled.get(came.sender)
        if ours is None or (ours.tag, ours.route) != (came.tag, route):
            return []
        del self._dialled[came.sender]
        try:
            act, transport = ours.handshake.act_three(came.rest)
        except BadHandshake as error:
            return [Ended(came.sender, Code.FAILED, str(error), False)]
        third = self._out(route, came.sender, Kind.ACT_THREE, came.tag, act)
        return [third, *self._begin(transport, route, came.tag, now)]

    def _on_act_three(self, route: Route, came: Packet, now: float) -> list[Outcome]:
        theirs = self._answered.get(came.sender)
        if theirs is None or (theirs.tag, theirs.route) != (came.tag, route):
            return []
        del self._answered[came.sender]
        try:
            transport = theirs.handshake.finish(came.rest)
        except BadHandshake:
            return [self._undelivered(route, came)]
        if transport.peer != came.sender:
            return [self._undelivered(route, came)]
        return self._begin(transport, route, came.tag, now)

    def _begin(self, transport: Transport, route: Route, tag: bytes, now: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        old = self._sessions.get(transport.peer)
        if old is not None:
            outcomes += self._break(old, Broken(Code.DISPLACED, "by a newer session"), now)
        session = Session(transport, route, tag, self._hello, self._features, now)
        self._sessions[session.peer] = session
        outcomes.append(Out(route, packet(self.own, session, session.greet(now))))
        return outcomes

    def _bucket(self, peer: PeerId, known: bool, now: float) -> Bucket:
        if not known:
            return self._strangers
        bucket = self._buckets.get(peer)
        if bucket is None:
            bucket = self._buckets[peer] = Bucket(self._limits.each_peers_second, burst=8, now=now)
        return bucket

    # ------------------------------------------------------------------------- sessions

    def _on_box(self, route: Route, came: Packet, now: float) -> list[Outcome]:
        session = self._sessions.get(came.sender)
        if session is None or session.tag != came.tag or session.route != route:
            return [self._undelivered(route, came)]
        try:
            parcel = session.receive(came.rest, now)
        except Broken as broken:
            return self._break(session, broken, now)
        if type(parcel) is list:
            arrived = Arrived(session.peer, parcel)
            return [arrived] if self._full else [arrived, *self._take(session, now)]
        if parcel is None:
            return self._flush(session, now)
        if type(parcel) is Bye:
            code = Code(parcel.code) if parcel.code in _CODES else Code.LEAVING
            return [self._forget(session, code, parcel.reason)]
        assert isinstance(parcel, Hello)
        return [Opened(session.peer, parcel)]

    def _on_undelivered(self, route: Route, came: Packet) -> list[Outcome]:
        peer, tag = came.sender, came.tag
        ours = self._dialled.get(peer)
        if ours is not None and (ours.tag, ours.route) == (tag, route):
            del self._dialled[peer]
            return [Ended(peer, Code.OFFLINE, "nobody of this id is there", False)]
        session = self._sessions.get(peer)
        if session is not None and (session.tag, session.route) == (tag, route):
            return [self._forget(session, Code.LOST, "the other side is not there any more")]
        theirs = self._answered.get(peer)
        if theirs is not None and (theirs.tag, theirs.route) == (tag, route):
            del self._answered[peer]
        return []

    def _take(self, session: Session, now: float) -> Iterable[Outcome]:
        box = session.take(now)
        return () if box is None else (Out(session.route, packet(self.own, session, box)),)

    def _flush(self, session: Session, now: float) -> list[Outcome]:
        before = session.waiting_bytes
        boxes = session.flush(now)
        self._waiting += session.waiting_bytes - before
        if self._waiting > self._limits.waiting:
            most = max(self._sessions.values(), key=lambda it: it.waiting_bytes)
            broken = Broken(Code.SLOW, f"{most.waiting_bytes} bytes wait, most of all peers")
            return self._break(most, broken, now)
        return [Out(session.route, packet(self.own, session, box)) for box in boxes]

    def _break(self, session: Session, broken: Broken, now: float) -> list[Outcome]:
        last = session.bye(broken.code, broken.reason, now)
        out = Out(session.route, packet(self.own, session, last))
        return [out, self._forget(session, broken.code, broken.reason)]

    def _forget(self, session: Session, code: Code, reason: str) -> Ended:
        if self._sessions.get(session.peer) is session:
            del self._sessions[session.peer]
            self._waiting -= session.waiting_bytes
        return Ended(session.peer, code, reason, session.open)

    # ------------------------------------------------------------------------- packets

    def _out(self, route: Route, peer: PeerId, kind: Kind, tag: bytes, rest: bytes) -> Out:
        return Out(route, Packet(self.own, peer, kind, tag, rest).encode())

    def _undelivered(self, route: Route, came: Packet) -> Out:
        return self._out(route, came.sender, Kind.UNDELIVERED, came.tag, b"")


_CODES = frozenset(Code)
