"""A link that we dial, and dial again whenever it is gone.

Pauses grow from half a second to ten, and after ten minutes without a link to a minute, each drawn
at random so that a thousand do not come back at once. A link that was displaced by a newer one of
the same id stays away: two devices would else throw each other out for ever.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from perun.core.state import PeerId
from perun.crypto import SecretKey, sign
from perun.encoding.wire_data import attach_digest
from perun.wire import packets
from perun.wire.codes import Code
from perun.wire.packets import Attach
from perun.wire.sockets import Closed, Socket, Sockets

__all__ = ["Dialer", "LinkEvents", "pause", "wire_url"]

WIRE_PATH: Final = "/wire"
_FIRST_PAUSE: Final = 0.5
_SHORT_PAUSE: Final = 10.0
_LONG_PAUSE: Final = 60.0
_PATIENT_AFTER: Final = 600.0
_CONNECT_SECONDS: Final = 10.0


class LinkEvents(Protocol):
    """Who hears of a link; in the loop's thread."""

    def link_up(self, dialer: Dialer) -> None:
        """Attached."""

    def link_down(self, dialer: Dialer, code: int, reason: str, stays_away: bool) -> None:
        """Gone, or not reached; `stays_away`: it is not dialled again."""

    def link_packet(self, dialer: Dialer, data: bytes) -> None:
        """Something came."""


def wire_url(host: str) -> str:
    """Where a host's links are: TLS wherever it leaves the machine."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    plain = name == "localhost" or _is_loopback(name.strip("[]"))
    return f"{'ws' if plain else 'wss'}://{host}{WIRE_PATH}"


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def pause(attempt: int, seconds_down: float, draw: Callable[[], float]) -> float:
    """Seconds until the next attempt: half to one and a half times the planned pause."""
    planned = min(_SHORT_PAUSE, _FIRST_PAUSE * float(2 ** min(attempt, 10)))
    if seconds_down > _PATIENT_AFTER:
        planned = _LONG_PAUSE
    return max(_FIRST_PAUSE, min(planned * (0.5 + draw()), _LONG_PAUSE))


class Dialer:
    """One link to one host, for one id."""

    def __init__(
        self,
        host: str,
        key: SecretKey,
        peer: PeerId,
        events: LinkEvents,
        sockets: Sockets,
    ) -> None:
        """Dials once `run` is awaited."""
        self.host = host
        self.up = False
        self._key = key
        self._peer = peer
        self._events = events
        self._sockets = sockets
        self._out: deque[bytes] = deque()
        self._queued = asyncio.Event()
        self._hurry = asyncio.Event()
        self._reason: tuple[int, str] = (Code.LOST, "the link is gone")

    def send(self, data: bytes) -> None:
        """A packet; lost if the link is down. Sessions bound how much waits here."""
        if self.up:
            self._out.append(data)
            self._queued.set()

    def hurry(self) -> None:
        """Dial now, if we are waiting to."""
        self._hurry.set()

    async def drain(self) -> None:
        """Until everything is handed over, or a moment has passed."""
        with suppress(asyncio.TimeoutError):
            async with asyncio.timeout(1):
                while self.up and self._out:
                    await asyncio.sleep(0)

    async def run(self) -> None:
        """Until it is cancelled, or displaced."""
        loop = asyncio.get_running_loop()
        attempt, since = 0, loop.time()
        while True:
            self._reason = (Code.LOST, "the link is gone")
            try:
                was_up = await self._live()
            except Exception as error:
                # Whatever a host makes the libraries stumble over, its name for one: a link that
                # is not dialled again would leave us out of reach, and nobody would notice.
                was_up = self.up
                self._reason = (Code.LOST, str(error) or type(error).__name__)
            finally:
                self.up = False
                self._out.clear()
            if was_up:
                attempt, since = 0, loop.time()
            code, reason = self._reason
            stays_away = code == Code.DISPLACED
            self._events.link_down(self, code, reason, stays_away)
            if stays_away:
                return
            self._hurry.clear()
            with suppress(asyncio.TimeoutError):
                wait = pause(attempt, loop.time() - since, random.random)
                await asyncio.wait_for(self._hurry.wait(), wait)
            attempt += 1

    async def _live(self) -> bool:
        """One link from dialling to its end; whether it was attached."""
        async with asyncio.timeout(_CONNECT_SECONDS) as deadline:
            async with self._sockets.connect(wire_url(self.host)) as socket:
                if not await self._attach(socket):
                    return False
                deadline.reschedule(None)
                self.up = True
                self._events.link_up(self)
                writer = asyncio.get_running_loop().create_task(self._write(socket))
                try:
                    await self._read(socket)
                finally:
                    writer.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await writer
        return True

    async def _attach(self, socket: Socket) -> bool:
        data = await self._receive(socket)
        if data is None:
            return False
        digest = attach_digest(self.host, packets.read_challenge(data))
        wish = Attach(self._peer, sign(digest, self._key), self.host)
        await socket.send(wish.encode())
        data = await self._receive(socket)
        return data is not None and packets.read_attached(data) == self._peer

    async def _read(self, socket: Socket) -> None:
        take = self._events.link_packet
        while (data := await self._receive(socket)) is not None:
            take(self, data)

    async def _receive(self, socket: Socket) -> bytes | None:
        """What came; None at the end, whose code and reason are kept."""
        came = await socket.receive()
        if isinstance(came, Closed):
            self._reason = (came.code, came.reason)
            return None
        return came

    async def _write(self, socket: Socket) -> None:
        out = self._out
        while True:
            while out:
                await socket.send(out.popleft())
            self._queued.clear()
            await self._queued.wait()
