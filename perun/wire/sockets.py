"""What a link is made of: a WebSocket that somebody else has opened for us."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

__all__ = ["Closed", "Socket", "Sockets"]


class Closed(NamedTuple):
    """The socket is at its end."""

    code: int
    """Of the WebSocket, or of ours."""
    reason: str


class Socket(Protocol):
    """A WebSocket; messages are whole and binary."""

    async def send(self, data: bytes) -> None:
        """Hands a message over; waits while too much is under way."""

    async def receive(self) -> bytes | Closed:
        """The next message, or that there is none any more."""


class Sockets(Protocol):
    """Opens them; one for all links of a wire, used in the wire's loop alone."""

    async def open(self) -> None:
        """Before the first."""

    def connect(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """Opens one to `url`, with the protocol's name; closed on leaving."""

    async def close(self) -> None:
        """After the last."""
