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

import aiohttp
from aiohttp import WSMsgType

from perun.core.state import PeerId
from perun.crypto import SecretKey, sign
from perun.encoding.wire_data import attach_digest
from perun.wire import packets
from perun.wire.codes import Code
from perun.wire.packets import MAX_PACKET_BYTES, PROTOCOL, Attach

__all__ = ["Dialer", "LinkEvents", "pause", "wire_url"]

WIRE_PATH: Final = "/wire"
_FIRST_PAUSE: Final = 0.5
_SHORT_PAUSE: Final = 10.0
_LONG_PAUSE: Final = 60.0
_PATIENT_AFTER: Final = 600.0
_CONNECT_SECONDS: Final = 10.0
_PING_SECONDS: Final = 20.0


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
        client: aiohttp.ClientSession,
    ) -> None:
        """Dials once `run` is awaited."""
        self.host = host
        self.up = False
        self._key = key
        self._peer = peer
        self._events = events
        self._client = client
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
        timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
        async with asyncio.timeout(_CONNECT_SECONDS) as deadline:
            socket = await self._client.ws_connect(
                wire_url(self.host),
                protocols=(PROTOCOL,),
                max_msg_size=MAX_PACKET_BYTES + 1,
                heartbeat=_PING_SECONDS,
                timeout=timeout,
                compress=0,
            )
            async with socket:
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
                    with suppress(asyncio.CancelledError, ConnectionError, aiohttp.ClientError):
                        await writer
        return True

    async def _attach(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        data = await self._receive(socket)
        if data is None:
            return False
        digest = attach_digest(self.host, packets.read_challenge(data))
        wish = Attach(self._peer, sign(digest, self._key), self.host)
        await socket.send_bytes(wish.encode())
        data = await self._receive(socket)
        return data is not None and packets.read_attached(data) == self._peer

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        take = self._events.link_packet
        while (data := await self._receive(socket)) is not None:
            take(self, data)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse) -> bytes | None:
        """What came; None at the end, whose code and reason are kept."""
        message = await socket.receive()
        if message.type is WSMsgType.BINARY:
            data: bytes = message.data
            return data
        code = socket.close_code
        if message.type is WSMsgType.CLOSE:
            self._reason = (message.data or Code.LOST, message.extra or "closed")
        elif code is not None:
            self._reason = (code, "the link is gone")
        return None

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        out = self._out
        while True:
            while out:
                await socket.send_bytes(out.popleft())
            self._queued.clear()
            await self._queued.wait()
