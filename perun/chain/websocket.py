"""JSON-RPC over a WebSocket, within the bounds of `provider`; the node says when a block comes.

What it says there is only a reason to look: the block itself is asked for as everywhere.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, cast
from urllib.parse import urlsplit

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse
from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from perun.bindings.failures import AnswerTooBig, Garbled, NodeUnreachable
from perun.chain.numbered import is_for, number_of, numbers
from perun.chain.provider import MOST_BYTES, decode, listed

__all__ = ["SocketProvider"]

_PORTS: Final = {"ws": 80, "wss": 443}
_GOODBYE: Final = 1.0
"""Seconds that the other side has to say goodbye in turn."""


class SocketProvider(JSONBaseProvider):
    """web3's way to one node; one thread at a time."""

    def __init__(self, url: str, seconds: float) -> None:
        """Asks nothing yet.

        Args:
            seconds: after which a request counts as lost.
        """
        super().__init__()
        self.endpoint_uri = url
        self.request_counter = numbers()
        self._seconds = seconds
        self._socket: ClientConnection | None = None
        self._subscribed = False
        self._news = False

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Asks once: whoever asks decides whether to ask again.

        Raises:
            NodeUnreachable, AnswerTooBig, Garbled: as they say.
        """
        until = time.monotonic() + self._seconds
        try:
            if self._socket is None:
                self._socket = _opened(self.endpoint_uri, self._seconds)
                subscribed = self._ask("eth_subscribe", ["newHeads"], until)
                self._subscribed = subscribed.get("error") is None
            return listed(method, cast("RPCResponse", self._ask(method, params, until)))
        except (OSError, WebSocketException, ValueError, Garbled) as error:
            # A late answer must not come to the next question.
            self._hang_up()
            if isinstance(error, Garbled):
                raise
            if isinstance(getattr(error, "__cause__", None), PayloadTooBig):
                raise AnswerTooBig(MOST_BYTES) from None
            raise NodeUnreachable(_named(error)) from None

    def listen(self, seconds: float) -> bool:
        """Returns when the node says that there is a new block, or after that time.

        False: it does not say such things, and nothing was waited for.
        """
        if self._socket is None or not self._subscribed:
            return False
        until = time.monotonic() + seconds
        try:
            while not self._news:
                self._hear(self._next(until))
        except TimeoutError:
            return True
        except (OSError, WebSocketException, ValueError, Garbled):
            self._hang_up()
            return False
        self._news = False
        return True

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002
        """See web3."""
        try:
            self.make_request(RPCEndpoint("eth_chainId"), [])
        except (NodeUnreachable, Garbled):
            return False
        return True

    def _ask(self, method: str, params: Any, until: float) -> Mapping[str, Any]:
        assert self._socket is not None
        body = self.encode_rpc_request(RPCEndpoint(method), params)
        number = number_of(body)
        self._socket.send(body.decode())
        while True:
            said = self._next(until)
            if is_for(said, number):
                return said
            self._hear(said)

    def _next(self, until: float) -> Mapping[str, Any]:
        """The next message, whatever it is about."""
        assert self._socket is not None
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        said = self._socket.recv(timeout=left)
        found = decode(said.encode() if isinstance(said, str) else said)
        if not isinstance(found, dict):
            raise Garbled("an answer that is no object")
        return found

    def _hear(self, said: Mapping[str, Any]) -> None:
        self._news = self._news or said.get("method") == "eth_subscription"

    def _hang_up(self) -> None:
        gone, self._socket = self._socket, None
        self._subscribed = self._news = False
        if gone is not None:
            with suppress(OSError, WebSocketException):
                gone.close()


def _named(error: Exception) -> str:
    """As those of HTTP are: what takes too long is asked for in pieces."""
    return "Timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _opened(url: str, seconds: float) -> ClientConnection:
    parts = urlsplit(url)
    where = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    sock = socket.create_connection(where, timeout=seconds)
    # A node that reads nothing must not keep us for ever.
    allowed = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, allowed)
    sock.settimeout(None)
    try:
        return connect_socket(
            url,
            sock=sock,
            compression=None,
            open_timeout=seconds,
            close_timeout=_GOODBYE,
            ping_interval=None,
            max_size=MOST_BYTES,
            legacy=True,
        )
    except BaseException:
        sock.close()
        raise
