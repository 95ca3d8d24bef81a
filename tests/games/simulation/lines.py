"""The scripted wire with the real one inside: sessions at the ends, a relay between them.

What is held, lost, repeated, altered and delayed are the packets that a link carries. What nodes
say goes in at one end and must come out at the other in order, once, and unread on the way.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from perun.core.state import PeerId
from perun.testing.network import Letter, ScriptedNetwork
from perun.wire.codes import RETRIED, Code
from perun.wire.local import LocalWire, Meet, Receive
from perun.wire.packets import Kind, MalformedPacket, read_packet
from perun.wire.parcels import Hello
from perun.wire.relay import Relay
from perun.wire.sessions import Arrived, Ended, Limits, Opened, Out, Outcome, Sessions
from tests.games.simulation.violated import Violated

_HELLO = Hello(
    (1,), "eip155:31337", b"\x07" * 32, (("MSContract", b"\x01" * 20), ("VPM", b"\x02" * 20))
)
_LIMITS = Limits(handshake_seconds=60)
"""Time goes by blocks here, in which little is carried."""
_MOST_REMEMBERED = 500
_READABLE = 16
"""Bytes of a message that stand in no packet by chance."""


class _Link:
    """What one end is attached by; another one after each loss."""

    def __init__(self, lines: Lines, peer: PeerId) -> None:
        self._lines, self._peer = lines, peer

    def take(self, data: bytes) -> None:
        """See `perun.wire.relay.End`."""
        self._lines.on_the_way(data[1:34], self._peer, data)

    def leave(self, code: Code, reason: str) -> None:
        """See `perun.wire.relay.End`."""


class _End:
    """One node's side: its sessions, and whom it calls."""

    def __init__(self, lines: Lines, peer: PeerId, receive: Receive, meet: Meet) -> None:
        self.lines, self.peer = lines, peer
        self._receive, self._meet = receive, meet
        self.sessions = Sessions(
            lines.keys[peer],
            _HELLO,
            lambda _peer, _token: True,
            lines.random,
            known=_everybody,
            limits=_LIMITS,
        )
        self.link = _Link(lines, peer)
        self.pending: dict[PeerId, list[bytes]] = {}
        self.to_call: dict[PeerId, None] = {}

    def call(self, peer: PeerId) -> None:
        """Begins a session, unless there is one."""
        self.to_call.pop(peer, None)
        self.do(self.sessions.dial(peer, self.link, self.lines.now()))

    def say(self, peer: PeerId, frames: Sequence[bytes]) -> None:
        """By the session, or once there is one."""
        outcomes = self.sessions.send(peer, frames, self.lines.now())
        if outcomes is not None:
            self.do(outcomes)
            return
        self.pending.setdefault(peer, []).extend(frames)
        self.call(peer)

    def take(self, data: bytes) -> None:
        """A packet has come, or something like one."""
        try:
            packet = read_packet(data)
        except MalformedPacket:
            self.lines.seen_of["wire: malformed packets"] += 1
            return
        if packet.receiver == self.peer:
            self.do(self.sessions.packet(self.link, packet, self.lines.now()))

    def tick(self) -> None:
        """Time passes; whoever was lost is called again."""
        self.do(self.sessions.tick(self.lines.now()))
        for peer in list(self.to_call):
            self.call(peer)

    def hang_up(self, peer: PeerId) -> None:
        """Ends a session as who stops does, and begins another."""
        self.do(self.sessions.end(Code.LEAVING, "begun anew", self.lines.now(), peer))
        self.call(peer)

    def lose_link(self) -> None:
        """The link breaks, and another takes its place; nobody else is told."""
        old, self.link = self.link, _Link(self.lines, self.peer)
        self.lines.relay.attach(self.peer, self.link)
        self.do(self.sessions.lost(old))

    def do(self, outcomes: Iterable[Outcome]) -> None:
        """What the sessions want."""
        for it in outcomes:
            if isinstance(it, Out):
                self.lines.carry(self, it)
            elif isinstance(it, Arrived):
                self.lines.came(it.peer, self.peer, it.frames)
                self._receive(it.peer, it.frames)
            elif isinstance(it, Opened):
                self.lines.seen_of["wire: sessions"] += 1
                self.do(
                    self.sessions.send(it.peer, self.pending.pop(it.peer, []), self.lines.now())
                    or ()
                )
                self._meet(it.peer)
            elif isinstance(it, Ended):
                self._over(it)

    def _over(self, ended: Ended) -> None:
        self.lines.seen_of[f"wire: ended {Code(ended.code).name}"] += 1
        if ended.code not in RETRIED and ended.code is not Code.DISPLACED:
            raise Violated("W3: two of one network refuse each other", reason=ended.reason)
        if not self.sessions.is_busy(ended.peer):
            self.pending.pop(ended.peer, None)
            if self.lines.is_there(ended.peer):
                self.to_call[ended.peer] = None


class Lines(ScriptedNetwork):
    """Everybody's ends, and the relay that joins them."""

    def __init__(
        self,
        keys: Mapping[PeerId, bytes],
        now: Callable[[], float],
        seen: dict[str, int],
    ) -> None:
        """Nobody is there.

        Args:
            keys: everybody's secret, by name on the wire.
            now: seconds that never go back.
            seen: counts what has happened.
        """
        super().__init__()
        self.keys, self.now, self.seen_of = keys, now, seen
        self.relay = Relay()
        self.past: deque[Letter] = deque(maxlen=_MOST_REMEMBERED)
        """Packets that whoever carries them has kept."""
        self._ends: dict[PeerId, _End] = {}
        self._said: dict[tuple[PeerId, PeerId], deque[bytes]] = {}
        self._drawn = 0

    def random(self, size: int) -> bytes:
        """Bytes that nobody had before; the same in every run."""
        self._drawn += 1
        return hashlib.sha512(b"%d" % self._drawn).digest()[:size]

    def is_there(self, peer: PeerId) -> bool:
        """Whether it has not left."""
        return peer in self._ends

    # ------------------------------------------------------------------- as `ScriptedNetwork`

    def join(self, peer: PeerId, receive: Receive, meet: Meet) -> LocalWire:
        """See `LocalNetwork`: a new process, which knows of no session."""
        end = self._ends[peer] = _End(self, peer, receive, meet)
        self.relay.attach(peer, end.link)
        for other in self._ends:
            if other != peer:
                end.call(other)
        return LocalWire(self, peer)

    def leave(self, peer: PeerId) -> None:
        """See `LocalNetwork`."""
        end = self._ends.pop(peer, None)
        if end is not None:
            self.relay.detach(peer, end.link)

    def deliver(self, sender: PeerId, receiver: PeerId, frames: Sequence[bytes]) -> None:
        """See `LocalNetwork`: what a node says, or somebody who has its key."""
        end = self._ends.get(sender)
        if end is None or receiver not in self.keys:
            return
        for frame in frames:
            letter = (sender, receiver, frame)
            for one in [letter] if self.rule is None else self.rule(letter):
                self._said.setdefault((sender, receiver), deque()).append(one[2])
                end.say(receiver, (one[2],))

    def hand_over(self, index: int) -> None:
        """See `ScriptedNetwork`: what is held are packets."""
        assert self.held is not None, "nothing is held"
        _, receiver, data = self.held.pop(index)
        end = self._ends.get(receiver)
        if end is not None:
            end.take(data)

    # ------------------------------------------------------------------------------- inside

    def carry(self, end: _End, out: Out) -> None:
        """From an end to the relay; what left by a link that is gone is lost."""
        if out.route is end.link:
            for waiting in self._said.values():
                if waiting and len(waiting[-1]) >= _READABLE and waiting[-1] in out.packet:
                    raise Violated("W2: whoever carries a packet can read it", frame=waiting[-1])
            self.relay.carry(end.peer, out.packet)

    def on_the_way(self, sender: PeerId, receiver: PeerId, data: bytes) -> None:
        """From the relay to an end: held until somebody hands it over."""
        assert self.held is not None
        self.past.append((sender, receiver, data))
        self.held.append((sender, receiver, data))

    def came(self, sender: PeerId, receiver: PeerId, frames: Sequence[bytes]) -> None:
        """What comes out must have gone in, in this order, each once; some may be lost."""
        said = self._said.get((sender, receiver), deque())
        for frame in frames:
            while said and said[0] != frame:
                said.popleft()
            if not said:
                raise Violated("W1: a message out of order, repeated, or never said", frame=frame)
            said.popleft()

    # ------------------------------------------------------------------------------- accidents

    def tick(self) -> None:
        """Time has passed."""
        for end in list(self._ends.values()):
            end.tick()

    def hang_up(self, one: PeerId, two: PeerId) -> None:
        """One ends its session with another, and begins a new one."""
        if one in self._ends and two in self._ends:
            self._ends[one].hang_up(two)

    def lose_link(self, peer: PeerId) -> None:
        """A link breaks."""
        if peer in self._ends:
            self._ends[peer].lose_link()

    def replay(self, which: int) -> bool:
        """A packet of any time comes again."""
        assert self.held is not None
        if not self.past:
            return False
        # Most often one of the last boxes, whose session still stands.
        boxes = [one for one in self.past if one[2][67] == Kind.BOX][-10:]
        among = boxes if which % 4 and boxes else list(self.past)
        self.held.append(among[which // 4 % len(among)])
        return True


def _everybody(_: PeerId) -> bool:
    return True


__all__ = ["Lines"]
