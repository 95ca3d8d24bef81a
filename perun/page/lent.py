"""What the page lends to its node; the page's JavaScript has each, and so do tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from perun.page.files import File
from perun.page.rpc import Answer

__all__ = ["Lent", "OpenSocket", "SocketEvents"]


class SocketEvents(Protocol):
    """Who hears of a WebSocket."""

    def opened(self) -> None:
        """It can be written to."""

    def came(self, data: bytes) -> None:
        """A binary message."""

    def closed(self, code: int, reason: str) -> None:
        """It is gone, or was never opened; nothing comes after that."""


class OpenSocket(Protocol):
    """A WebSocket of the browser."""

    def send(self, data: bytes) -> None:
        """Queues a binary message."""

    def waiting(self) -> int:
        """Bytes that are queued."""

    def close(self) -> None:
        """Ends it."""


class Lent(Protocol):
    """All of it."""

    @property
    def files(self) -> Sequence[File]:
        """Two, held by us alone."""

    @property
    def words(self) -> Sequence[str]:
        """The list of BIP-39."""

    def post(self, url: str, body: str, seconds: float) -> Answer:
        """Asks a chain's node, and waits: for its answer, or so long."""

    def fetch(self, method: str, url: str, body: str) -> Awaitable[Answer]:
        """Asks a host of the network."""

    def exchange(self, url: str, body: bytes) -> Awaitable[tuple[int, bytes]]:
        """Posts bytes to a host of the network; status and answer, 0 and nothing if none came."""

    def socket(self, url: str, protocol: str, events: SocketEvents) -> OpenSocket:
        """Opens a WebSocket."""

    def wallet(self, question: str) -> Awaitable[str]:
        """Has our user asked by a browser's wallet (`perun.page.prompts`); both are JSON."""

    def say(self, text: str) -> None:
        """Answers and events of the application interface, for the page; one a line."""

    @property
    def report(self) -> Callable[[str], None]:
        """Takes a line for the browser's console; no secrets."""
