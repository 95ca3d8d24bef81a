"""A wire within one process: peers hand each other bytes, nothing else is shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perun.core.state import PeerId
from perun.ports import Member

__all__ = ["LocalNetwork", "LocalWire"]

Receive = Callable[[PeerId, Sequence[bytes]], None]
Meet = Callable[[PeerId], None]


class LocalNetwork:
    """Everybody who can be reached."""

    def __init__(self) -> None:
        self._receivers: dict[PeerId, tuple[Receive, Meet]] = {}

    def join(self, peer: PeerId, receive: Receive, meet: Meet) -> LocalWire:
        """Becomes reachable; whoever is there already, and the newcomer, meet again."""
        others = list(self._receivers.items())
        self._receivers[peer] = (receive, meet)
        for other, (_, other_meet) in others:
            if other != peer:
                other_meet(peer)
                meet(other)
        return LocalWire(self, peer)

    def enter(self, member: Member) -> LocalWire:
        """See `perun.ports.Network`."""
        return self.join(member.peer, member.receive, member.meet)

    def leave(self, peer: PeerId) -> None:
        """Is no longer reachable; what is sent meanwhile is lost."""
        self._receivers.pop(peer, None)

    def deliver(self, sender: PeerId, receiver: PeerId, frames: Sequence[bytes]) -> None:
        """Hands frames over at once, or loses them."""
        found = self._receivers.get(receiver)
        if found is not None:
            found[0](sender, frames)


class LocalWire:
    """One peer's end of the network."""

    def __init__(self, network: LocalNetwork, peer: PeerId) -> None:
        self._network = network
        self._peer = peer

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:  # noqa: ARG002
        """See `perun.ports.Wire`."""
        self._network.deliver(self._peer, peer, frames)
