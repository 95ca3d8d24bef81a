"""JSON-RPC over HTTP with bounds on every answer: its whole time, its size, its depth.

A node may be broken or hostile. Limits that others set hold for a single read, so that an answer
that drips lasts for ever; they unpack whatever is compressed, and decode whatever is nested.
"""

from __future__ import annotations

import io
import re
import socket
import time
import zlib
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final, TypeVar, cast

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from web3 import HTTPProvider, Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from perun.bindings.failures import AnswerTooBig, Garbled, NodeUnreachable
from perun.chain.numbered import is_for, number_of, numbers
from perun.nesting import is_deep_msgpack

__all__ = [
    "MOST_BYTES",
    "MOST_DEPTH",
    "BoundedProvider",
    "BlockingAsker",
    "Pages",
    "bounded",
    "fetch",
    "listed",
    "over",
]

A = TypeVar("A")

MOST_BYTES: Final = 8 * 2**20
"""Of one answer, unpacked. A longer range of logs than fits is asked for in pieces."""

MOST_DEPTH: Final = 32
"""Lists and objects inside each other; what nodes answer has six at most."""

_PIECE: Final = 2**16

_TOKEN: Final = re.compile(rb'"(?:[^"\\]+|\\.?)*+(?:"|\Z)|[\[{]+|[\]}]+', re.DOTALL)
"""A string, to its end or to that of the answer, or brackets. Takes time in proportion."""


class _Deadline:
    """When the request under way is over; of `time.monotonic`."""

    def __init__(self) -> None:
        self.at = 0.0

    def left(self) -> float:
        """Seconds.

        Raises:
            TimeoutError: none are left.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _TimedReads(io.RawIOBase):
    """A socket's bytes, each read with what is left of the time of the whole."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        super().__init__()
        self._sock = sock
        # Counted by the socket, which closes only when this is closed too.
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """See `io.RawIOBase`."""
        self._sock.settimeout(self._deadline.left())
        return cast("io.RawIOBase", self._raw).readinto(buffer)

    def close(self) -> None:
        """See `io.RawIOBase`."""
        self._raw.close()
        super().close()


class _TimedSocket:
    """A socket whose file, which `http.client` reads, is timed."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """See `socket.socket`."""
        return io.BufferedReader(_TimedReads(self._sock, self._deadline))


class _Timed(HTTPAdapter):
    """Connections of `requests` over timed sockets; certificates and proxies as everywhere."""

    def __init__(self, deadline: _Deadline) -> None:
        def timed(connection: HTTPConnection) -> None:
            connection.sock = _TimedSocket(cast("socket.socket", connection.sock), deadline)

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                timed(self)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                timed(self)

        self._pools = {
            "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": Plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure}),
        }
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """See `HTTPAdapter`."""
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        """See `HTTPAdapter`."""
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = self._pools
        return manager


class BoundedProvider(JSONBaseProvider):
    """web3's way to one node; one thread at a time."""

    def __init__(self, url: str, seconds: float, options: Mapping[str, Any] | None = None) -> None:
        """Asks nothing yet.

        Args:
            seconds: after which a request counts as lost, from its first byte to its last.
            options: more that `requests` is told, such as `headers`, `auth` or `verify`.
        """
        super().__init__()
        self.endpoint_uri = url
        self._seconds = seconds
        self._options = {**(options or {})}
        self._headers = {
            **self._options.pop("headers", {}),
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._deadline = _Deadline()
        self._session = _session(self._deadline)
        self.request_counter = numbers()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Asks once: whoever asks decides whether to ask again.

        Raises:
            NodeUnreachable, AnswerTooBig, Garbled: as they say.
        """
        self._deadline.at = time.monotonic() + self._seconds
        question = self.encode_rpc_request(method, params)
        try:
            with self._session.post(
                self.endpoint_uri,
                question,
                headers=self._headers,
                timeout=self._seconds,
                stream=True,
                allow_redirects=False,
                **self._options,
            ) as response:
                answer = _answer(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NodeUnreachable(type(error).__name__) from None
        if not is_for(answer, number_of(question)):
            raise Garbled("an answer to another question")
        return listed(method, answer)

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002
        """See web3."""
        try:
            self.make_request(RPCEndpoint("eth_chainId"), [])
        except (NodeUnreachable, Garbled):
            return False
        return True


def _session(deadline: _Deadline) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Timed(deadline))
    return session


class Pages:
    """Asks pages of hosts that may be hostile; one thread at a time."""

    def __init__(self) -> None:
        self._deadline = _Deadline()
        self._session = _session(self._deadline)

    def fetch(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        most: int,
        json: dict[str, str] | None = None,
        data: bytes | None = None,
    ) -> tuple[int, bytes]:
        """A page's status, and what came, unpacked.

        Args:
            seconds: from the first byte to the last.
            most: bytes.

        Raises:
            NodeUnreachable, AnswerTooBig, Garbled: as they say.
        """
        self._deadline.at = time.monotonic() + seconds
        try:
            with self._session.request(
                method,
                url,
                json=json,
                data=data,
                headers={"Accept-Encoding": "gzip"},
                timeout=seconds,
                stream=True,
                allow_redirects=False,
            ) as answer:
                return answer.status_code, _body(answer, most)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NodeUnreachable(type(error).__name__) from None

    def ask(
        self, url: str, question: msgspec.Struct, kind: type[A], *, seconds: float, most: int
    ) -> A:
        """Posts a question in MessagePack; what is answered to it.

        Raises:
            NodeUnreachable, AnswerTooBig, Garbled: as they say.
        """
        asked = msgspec.msgpack.encode(question)
        status, body = self.fetch("POST", url, seconds=seconds, most=most, data=asked)
        try:
            if is_deep_msgpack(body):
                raise ValueError("nested too deep")
            return msgspec.msgpack.decode(body, type=kind)
        except (msgspec.MsgspecError, ValueError):
            raise Garbled(f"HTTP {status}, and no answer that we know") from None

    def close(self) -> None:
        """Asks no more."""
        self._session.close()


class BlockingAsker:
    """`perun.node.at_once.Asker` for one thread."""

    def __init__(self) -> None:
        self._pages = Pages()

    async def ask(
        self, url: str, question: msgspec.Struct, kind: type[A], *, seconds: float, most: int
    ) -> A:
        """See `Pages.ask`."""
        return self._pages.ask(url, question, kind, seconds=seconds, most=most)

    def close(self) -> None:
        """See `Asker`."""
        self._pages.close()


def fetch(
    method: str, url: str, *, seconds: float, most: int, json: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One page, as `Pages.fetch` does."""
    with closing(Pages()) as pages:
        return pages.fetch(method, url, seconds=seconds, most=most, json=json)


def bounded(web3: Web3, seconds: float) -> Web3:
    """The same node behind bounds, if it is asked over HTTP; else `web3` itself."""
    provider = web3.provider
    if not isinstance(provider, HTTPProvider):
        return web3
    options = dict(provider.get_request_kwargs())
    given = options.pop("timeout", None)
    if isinstance(given, (int, float)):
        seconds = min(seconds, float(given))
    return over(BoundedProvider(str(provider.endpoint_uri), seconds, options))


def over(provider: JSONBaseProvider) -> Web3:
    """A `Web3` that asks nothing but what it is asked."""
    web3 = Web3(provider)
    # It would ask for the chain's id before every call, and for names; and it refuses blocks of
    # chains of few signers for the length of their seal.
    for name in ("validation", "ens_name_to_address"):
        web3.middleware_onion.remove(name)
    return web3


def _answer(response: requests.Response) -> RPCResponse:
    found = None
    try:
        found = decode(_body(response))
    except Garbled:
        if response.status_code < 300:
            raise
    # Some say with a status of HTTP, too, that the answer is an error in words.
    if isinstance(found, dict) and ("error" in found or response.status_code < 300):
        return cast("RPCResponse", found)
    if response.status_code >= 300:
        raise NodeUnreachable(f"HTTP {response.status_code}", response.status_code)
    raise Garbled("an answer that is no object")


def _body(response: requests.Response, most: int = MOST_BYTES) -> bytes:
    """What came, unpacked."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    unpack = zlib.decompressobj(31) if coding in ("gzip", "x-gzip") else None
    if unpack is None and coding not in ("", "identity"):
        raise Garbled("packed in a way that nobody asked for")
    body = bytearray()
    for piece in response.raw.stream(_PIECE, decode_content=False):
        if unpack is None:
            body += piece
        else:
            try:
                body += unpack.decompress(piece, most + 1 - len(body))
            except zlib.error:
                raise Garbled("badly packed") from None
        if len(body) > most:
            raise AnswerTooBig(most)
    return bytes(body)


def listed(method: str, answer: RPCResponse) -> RPCResponse:
    """The same answer; of logs a list, where a node writes null for one that holds nothing. Either
    may be wrong in the same way, which is why storage is asked as well."""
    is_null = method == "eth_getLogs" and answer.get("result", ()) is None
    return {**answer, "result": []} if is_null and answer.get("error") is None else answer


def decode(body: bytes) -> Any:
    """JSON of bounded depth.

    Raises:
        Garbled: it is none.
    """
    # Few brackets are not deep; only who sends many has them looked at.
    if body.count(b"[") + body.count(b"{") > MOST_DEPTH and _depth(body) > MOST_DEPTH:
        raise Garbled(f"lists inside lists, more than {MOST_DEPTH} deep")
    try:
        return msgspec.json.decode(body)
    except ValueError:
        raise Garbled("it is no JSON") from None


def _depth(body: bytes) -> int:
    """Of the deepest place, or of the first that is too deep."""
    depth = deepest = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first == 0x22:  # a string
            continue
        length = token.end() - token.start()
        depth += length if first in b"[{" else -length
        deepest = max(deepest, depth)
        if deepest > MOST_DEPTH:
            break
    return deepest
