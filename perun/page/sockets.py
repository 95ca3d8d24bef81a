"""Links by the browser's WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from perun.page.lent import Lent, OpenSocket
from perun.wire.codes import Code
from perun.wire.packets import MAX_PACKET_BYTES, PROTOCOL
from perun.wire.sockets import Closed, Socket

__all__ = ["PageSockets"]

_MOST_QUEUED: Final = 256 * 1024
_PAUSE: Final = 0.01
"""Seconds between two looks at what is queued: a browser does not say when there is room."""


class PageSockets:
    """`perun.wire.sockets.Sockets`."""

    def __init__(self, lent: Lent) -> None:
        self._lent = lent

    async def open(self) -> None:
        """See `Sockets`."""

    async def close(self) -> None:
        """See `Sockets`."""

    def connect(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """See `Sockets`."""
        return self._connect(url)

    @asynccontextmanager
    async def _connect(self, url: str) -> AsyncIterator[Socket]:
        socket = _Socket()
        socket.line = line = self._lent.socket(url, PROTOCOL, socket)
        try:
            await socket.ready()
            yield socket
        finally:
            line.close()


class _Socket:
    """`Socket`, and the `SocketEvents` that it lives by."""

    line: OpenSocket

    def __init__(self) -> None:
        self._came: asyncio.Queue[bytes | Closed] = asyncio.Queue()
        self._opened = asyncio.Event()
        self._closed: Closed | None = None

    def opened(self) -> None:
        """See `SocketEvents`."""
        self._opened.set()

    def came(self, data: bytes) -> None:
        """See `SocketEvents`."""
        if len(data) > MAX_PACKET_BYTES:
            self.line.close()
            self.closed(Code.MALFORMED, "a packet that is too long")
        else:
            self._came.put_nowait(data)

    def closed(self, code: int, reason: str) -> None:
        """See `SocketEvents`."""
        if self._closed is None:
            self._closed = Closed(code, reason[:200] or "the link is gone")
            self._came.put_nowait(self._closed)
            self._opened.set()

    async def ready(self) -> None:
        """Raises `ConnectionError` if nobody answers."""
        await self._opened.wait()
        if self._closed is not None:
            raise ConnectionError(self._closed.reason)

    async def send(self, data: bytes) -> None:
        """See `Socket`."""
        if self._closed is not None:
            raise ConnectionError(self._closed.reason)
        self.line.send(data)
        while self._closed is None and self.line.waiting() > _MOST_QUEUED:
            await asyncio.sleep(_PAUSE)

    async def receive(self) -> bytes | Closed:
        """See `Socket`."""
        if self._closed is not None and self._came.empty():
            return self._closed
        return await self._came.get()
