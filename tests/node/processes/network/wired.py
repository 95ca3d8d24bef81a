"""Nodes without a core on real sockets: they keep what they hear."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire.web import Hello, Listener, News, SessionDown, WebWire

HELLO = Hello(
    (1,),
    "eip155:31337",
    b"\x07" * 32,
    (("MSContract", b"\x01" * 20), ("VPM", b"\x02" * 20), ("HashTimeLock", b"\x03" * 20)),
)
PATIENCE_SECONDS = 60.0
"""Nothing waits for so long; a test that does has failed."""


class Wired:
    """A party that remembers, and its wire."""

    def __init__(
        self,
        name: str,
        *,
        listener: Listener | None = None,
        hello: Hello = HELLO,
        open_to_all: bool = True,
        **more: Any,
    ) -> None:
        self.name = name
        self.key: SecretKey = key_of(name)
        self.peer: PeerId = peer_id(self.key.public_key)
        self.listener = listener
        self.frames: list[tuple[PeerId, bytes]] = []
        self.met: list[PeerId] = []
        self.news: list[News] = []
        self.waiting = 0
        self.known: set[PeerId] = set()
        self._changed = threading.Condition()
        if open_to_all:
            more.setdefault("admits", lambda _peer, _token: True)
        self.wire = WebWire(self.key, hello, listener=listener, report=self._hear, **more)
        self.wire.enter(self)

    def receive(self, sender: PeerId, frames: Sequence[bytes]) -> None:
        with self._changed:
            self.frames += [(sender, frame) for frame in frames]
            self._changed.notify_all()

    def meet(self, peer: PeerId) -> None:
        with self._changed:
            self.met.append(peer)
            self._changed.notify_all()

    def knows(self, peer: PeerId) -> bool:
        return peer in self.known

    def _hear(self, news: News) -> None:
        with self._changed:
            self.news.append(news)
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool]) -> None:
        """Until something is so; each change is looked at."""
        with self._changed:
            if not self._changed.wait_for(until, PATIENCE_SECONDS):
                raise AssertionError(f"{self.name} waited in vain; its news: {self.news[-5:]}")

    def wait_met(self, *others: Wired, times: int = 1) -> None:
        self.wait(lambda: all(self.met.count(other.peer) >= times for other in others))

    def wait_heard(self, *frames: bytes) -> None:
        self.wait(lambda: {frame for _, frame in self.frames} >= set(frames))

    def heard(self, sender: Wired) -> list[bytes]:
        return [frame for peer, frame in self.frames if peer == sender.peer]

    def reasons(self) -> list[str]:
        return [it.reason for it in self.news if isinstance(it, SessionDown)]

    def __enter__(self) -> Wired:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.stop()


def eventually(question: Callable[[], bool]) -> None:
    """Asks again and again what nobody tells us of."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.01)


__all__ = ["Wired", "HELLO", "Listener", "PATIENCE_SECONDS", "eventually"]
