"""WebSockets by aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from perun.wire.codes import Code
from perun.wire.packets import MAX_PACKET_BYTES, PROTOCOL
from perun.wire.sockets import Closed, Socket

__all__ = ["WebSockets"]

_PING_SECONDS: Final = 20.0


class WebSockets:
    """`perun.wire.sockets.Sockets`."""

    def __init__(self) -> None:
        self._client: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """See `Sockets`."""
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        """See `Sockets`."""
        if self._client is not None:
            await self._client.close()

    def connect(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """See `Sockets`."""
        return self._connect(url)

    @asynccontextmanager
    async def _connect(self, url: str) -> AsyncIterator[Socket]:
        assert self._client is not None
        socket = await self._client.ws_connect(
            url,
            protocols=(PROTOCOL,),
            max_msg_size=MAX_PACKET_BYTES + 1,
            heartbeat=_PING_SECONDS,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            compress=0,
        )
        async with socket:
            yield _Socket(socket)


class _Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.send = socket.send_bytes

    async def receive(self) -> bytes | Closed:
        """See `Socket`."""
        message = await self._socket.receive()
        if message.type is WSMsgType.BINARY:
            data: bytes = message.data
            return data
        if message.type is WSMsgType.CLOSE:
            return Closed(message.data or Code.LOST, message.extra or "closed")
        code = self._socket.close_code
        return Closed(Code.LOST if code is None else code, "the link is gone")
