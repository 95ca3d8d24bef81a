"""The wire of a node: WebSockets, in a thread and an event loop of its own.

wire = WebWire(key, hello, listener=Listener("127.0.0.1", 7070))
assembly.join(wire)
wire.reach(address.peer, address.host)
…
wire.stop()
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, TypeVar

from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.errors import Misuse
from perun.ports import Member
from perun.wire.exchange import Exchange, LinkDown, LinkUp, News, SessionDown, SessionUp
from perun.wire.listener import Listener
from perun.wire.parcels import Hello
from perun.wire.sessions import Admits, Limits
from perun.wire.web_sockets import WebSockets

__all__ = [
    "Hello",
    "LinkDown",
    "LinkUp",
    "Listener",
    "News",
    "NotJoined",
    "SessionDown",
    "SessionUp",
    "WebWire",
]

_STOP_SECONDS: Final = 10.0
T = TypeVar("T")


class NotJoined(Misuse):
    """The wire has no node yet, or is stopped."""

    template = "the wire is not running"
    hint = "join it with `Assembly.join(wire)` first"


class WebWire:
    """A `perun.ports.Network` that one node joins, and its `Wire`. All methods are thread-safe."""

    def __init__(
        self,
        key: SecretKey,
        hello: Hello,
        *,
        listener: Listener | None = None,
        admits: Admits | None = None,
        features: frozenset[int] = frozenset(),
        limits: Limits | None = None,
        report: Callable[[News], None] = lambda _: None,
    ) -> None:
        """Opens nothing yet.

        Args:
            key: the node's; it opens sessions and attaches to listeners.
            listener: our own, started and stopped with the wire; None: others cannot dial us, and
                reach us at hosts where we are attached.
            admits: whether a peer that the node does not know may have a session, by the token it
                shows; None: nobody. Called in the wire's thread.
            features: even features of the protocol that the program above understands.
            report: told of links and sessions, in the wire's thread.
        """
        self._key = key
        self._hello = hello
        self._listener = listener
        self._admits = admits
        self._features = features
        self._limits = limits
        self._report = report
        self._out: deque[tuple[PeerId, Sequence[bytes], PeerId]] = deque()
        self._told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._exchange: Exchange | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------------- perun.ports

    def enter(self, member: Member) -> WebWire:
        """See `perun.ports.Network`: begins to listen and to dial.

        Raises:
            OSError: the listener's address is taken, or not ours.
        """
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(member, started), name="perun-wire", daemon=True
        )
        self._thread.start()
        started.result()
        return self

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """See `perun.ports.Wire`."""
        self._out.append((peer, frames, via))
        if not self._told and self._loop is not None:
            self._told = True
            # One waking for everything that comes until it is heard.
            self._loop.call_soon_threadsafe(self._send_all)

    # ------------------------------------------------------------------------- for programs

    def reach(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        """A host where a peer may be: we attach there and call it; `stay`: whenever it is lost."""
        self._ask(lambda exchange: exchange.reach(peer, host, token, stay=stay))

    def forget(self, peer: PeerId) -> None:
        """The peer is no longer called."""
        self._ask(lambda exchange: exchange.forget(peer))

    def peers(self) -> list[PeerId]:
        """With whom a session is open."""
        return self._ask(lambda exchange: exchange.sessions.peers())

    def links(self) -> dict[str, bool]:
        """The hosts that we dial, and whether we are attached there."""
        return self._ask(lambda exchange: {h: link.up for h, link in exchange.links.items()})

    def backlog(self, peer: PeerId | None = None) -> int:
        """Bytes that wait for this peer, or all, to have room: above some 100,000 a program should
        pay no faster."""
        return self._ask(lambda exchange: exchange.sessions.waiting(peer))

    def stop(self) -> None:
        """Tells all peers that we leave, and returns when everything is closed."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)
        self._thread = None

    # ------------------------------------------------------------------------- in the thread

    def _run(self, member: Member, started: Future[None]) -> None:
        asyncio.run(self._live(member, started))

    async def _live(self, member: Member, started: Future[None]) -> None:
        exchange = Exchange(
            self._key,
            self._hello,
            member,
            WebSockets(),
            listener=self._listener,
            admits=self._admits,
            features=self._features,
            limits=self._limits,
            report=self._report,
        )
        try:
            await exchange.open()
        except BaseException as error:
            started.set_exception(error)
            return
        self._stopping = asyncio.Event()
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        started.set_result(None)
        try:
            await self._stopping.wait()
            self._send_all()
        finally:
            self._loop = None
            await exchange.close()

    def _send_all(self) -> None:
        """Hands over everything there is, to each peer at once."""
        self._told = False
        exchange = self._exchange
        assert exchange is not None
        together: dict[tuple[PeerId, PeerId], list[bytes]] = {}
        while self._out:
            peer, frames, via = self._out.popleft()
            together.setdefault((peer, via), []).extend(frames)
        for (peer, via), all_frames in together.items():
            exchange.send(peer, all_frames, via)

    def _ask(self, question: Callable[[Exchange], T]) -> T:
        loop, exchange = self._loop, self._exchange
        if loop is None or exchange is None:
            raise NotJoined
        if threading.current_thread() is self._thread:
            return question(exchange)
        answer: Future[T] = Future()

        def ask() -> None:
            try:
                answer.set_result(question(exchange))
            except BaseException as error:
                answer.set_exception(error)

        loop.call_soon_threadsafe(ask)
        return answer.result(_STOP_SECONDS)
