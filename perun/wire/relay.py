"""Passes packets between attached nodes, unread (protocol, section 10). No I/O, no key.

Whoever serves links attaches each under its id. A packet must carry its link's own id in front;
where its receiver is not attached, its sender is told `Undelivered`, never nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from perun.core.state import PeerId
from perun.wire.codes import Code
from perun.wire.packets import HEADER_BYTES, MAX_PACKET_BYTES, Kind, MalformedPacket, Packet

__all__ = ["End", "Relay"]


class End(Protocol):
    """Where packets for one id go: a link, or a node of the same process."""

    def take(self, data: bytes) -> None:
        """A packet for it; returns at once, may lose it."""

    def leave(self, code: Code, reason: str) -> None:
        """Must go, now."""


class Relay:
    """Who is attached."""

    def __init__(
        self,
        passes: Callable[[PeerId, PeerId], bool] = lambda _sender, _to: True,
        room: Callable[[PeerId, End, int], bool] = lambda _sender, _end, _bytes: True,
    ) -> None:
        """Nobody is attached.

        Args:
            passes: whether a packet of the first may go to the second. A hub may want to carry
                nothing between nodes that have no channel with it: ids are free, so strangers
                could else trouble its customers under as many as they like.
            room: whether the end of the receiver has room for so many bytes of a sender.
        """
        self.passes, self._room = passes, room
        self.gone: Callable[[PeerId], None] = lambda _: None
        """Told whose link is gone, or another than before."""
        self.moved: Callable[[PeerId, bool], None] = lambda _peer, _here: None
        """Told who attaches, again too, and who is attached no longer."""
        self.beyond: Callable[[PeerId, PeerId, bytes], bool] = lambda _from, _to, _data: False
        """Carries a packet of the first to the second, who is not here; False: nowhere."""
        self._ends: dict[PeerId, End] = {}
        self.passed = 0
        """Packets; for metrics."""
        self.undelivered = 0

    def __len__(self) -> int:
        return len(self._ends)

    def __contains__(self, peer: PeerId) -> bool:
        return peer in self._ends

    def attach(self, peer: PeerId, end: End) -> None:
        """From now on packets for this id go there; whoever had it is told so."""
        old = self._ends.get(peer)
        self._ends[peer] = end
        self.moved(peer, True)
        if old is not None and old is not end:
            old.leave(Code.DISPLACED, "the same id has come by a newer link")
            self.gone(peer)

    def end_of(self, peer: PeerId) -> End | None:
        """Where packets for a node go."""
        return self._ends.get(peer)

    def detach(self, peer: PeerId, end: End) -> None:
        """It has gone, unless another has come in its place already."""
        if self._ends.get(peer) is end:
            del self._ends[peer]
            self.moved(peer, False)
            self.gone(peer)

    def carry(self, sender: PeerId, data: bytes) -> None:
        """Passes on what the end of `sender` has sent.

        Raises:
            MalformedPacket: no packet, or in the name of somebody else.
        """
        if not HEADER_BYTES <= len(data) <= MAX_PACKET_BYTES or data[0]:
            raise MalformedPacket("not what an attached node sends", len(data))
        if data[1:34] != sender:
            raise MalformedPacket("it names another sender than this link's", len(data))
        receiver = data[34:67]
        end = self._ends.get(receiver)
        if self.passes(sender, receiver):
            if end is None:
                if self.beyond(sender, receiver, data):
                    self.passed += 1
                    return
            elif self._room(sender, end, len(data)):
                self.passed += 1
                end.take(data)
                return
        if data[67] != Kind.UNDELIVERED:
            self.bounce(sender, receiver, data[68:76])

    def bounce(self, sender: PeerId, receiver: PeerId, tag: bytes) -> None:
        """Tells who has sent a packet that it was not delivered."""
        self.undelivered += 1
        back = self._ends.get(sender)
        if back is not None:
            back.take(Packet(receiver, sender, Kind.UNDELIVERED, tag).encode())
