"""Sessions of several nodes in one place, joined by a wire that a test can look at and harm."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any

from perun.wire.packets import Packet, read_packet
from perun.wire.parcels import Hello
from perun.wire.sessions import Arrived, Ended, Limits, Opened, Out, Outcome, Sessions

HELLO = Hello(
    (1,),
    "eip155:31337",
    b"\x07" * 32,
    (("MSContract", b"\x01" * 20), ("VPM", b"\x02" * 20), ("HashTimeLock", b"\x03" * 20)),
)
ROUTE = "route"


def everybody(_: bytes, __: bytes) -> bool:
    return True


class End:
    """One node's sessions and what came of them."""

    def __init__(self, name: str, hello: Hello = HELLO, **more: Any) -> None:
        secret = hashlib.sha256(name.encode()).digest()
        self._drawn = 0
        self.name = name
        admits = more.pop("admits", everybody)
        self.sessions = Sessions(secret, hello, admits, self._random, **more)
        self.id = self.sessions.own
        self.frames: list[bytes] = []
        self.news: list[Opened | Ended] = []

    def _random(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.sha512(f"{self.name} {self._drawn}".encode()).digest()[:size]

    @property
    def codes(self) -> list[int]:
        """Why sessions and attempts ended, in order."""
        return [it.code for it in self.news if isinstance(it, Ended)]

    @property
    def opened(self) -> int:
        return sum(isinstance(it, Opened) for it in self.news)


class Ether:
    """Carries packets between ends, in order, until nobody says anything more."""

    def __init__(self, *ends: End) -> None:
        self.ends = {end.id: end for end in ends}
        self.now = 0.0
        self.under_way: deque[tuple[Any, Packet]] = deque()
        self.seen: list[Packet] = []
        self.rule: Callable[[Packet], list[Packet]] = lambda packet: [packet]

    def do(self, end: End, outcomes: list[Outcome] | None) -> None:
        """Takes what an end wants, and puts packets on their way."""
        for it in outcomes or ():
            if isinstance(it, Out):
                packet = read_packet(it.packet)
                assert packet.sender == end.id
                self.seen.append(packet)
                self.under_way.extend((it.route, one) for one in self.rule(packet))
            elif isinstance(it, Arrived):
                end.frames += it.frames
            else:
                end.news.append(it)

    def run(self) -> None:
        """Until all is quiet."""
        while self.under_way:
            self.deliver()

    def deliver(self) -> None:
        """The oldest packet."""
        route, packet = self.under_way.popleft()
        receiver = self.ends.get(packet.receiver)
        if receiver is not None:
            self.do(receiver, receiver.sessions.packet(route, packet, self.now))

    def dial(self, end: End, other: End, route: Any = ROUTE, token: bytes = b"") -> None:
        self.do(end, end.sessions.dial(other.id, route, self.now, token))

    def send(self, end: End, other: End, *frames: bytes) -> bool:
        outcomes = end.sessions.send(other.id, frames, self.now)
        self.do(end, outcomes)
        return outcomes is not None

    def wait(self, seconds: float) -> None:
        """Time passes, second by second."""
        for _ in range(round(seconds)):
            self.now += 1
            for end in self.ends.values():
                self.do(end, end.sessions.tick(self.now))
            self.run()


def joined(*ends: End) -> Ether:
    """The first end with an open session to each of the others."""
    ether = Ether(*ends)
    for other in ends[1:]:
        ether.dial(ends[0], other)
        ether.run()
    return ether


__all__ = ["End", "Ether", "HELLO", "Limits", "ROUTE", "everybody", "joined"]
