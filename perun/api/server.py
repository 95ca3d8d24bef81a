"""The listener: HTTP and WebSocket on this machine, in a thread of its own.

    POST /       one call; token in `Authorization: Bearer …`
    GET /ws      a WebSocket; token in that header, or in its first message
    GET /openrpc.json

Nothing is done for whoever does not say `Host` as we are known, or comes from a web page that is
not on the list: other pages in our user's browser, and names that resolve to this machine. A token
in a URL is refused: it would stand in logs and histories.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import hdrs, web

from perun.api.door import Door, Hosted
from perun.api.openrpc import document
from perun.api.protocol import MAX_BODY, Refused, failure, read_call, success
from perun.api.sessions import Session
from perun.api.tokens import Tokens
from perun.app.methods import Subscribe, Unsubscribe
from perun.app.work import Caller
from perun.errors import Misuse, PerunError
from perun.serving_thread import ServingThread

__all__ = ["ApiServer", "NeedsSocket"]

_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")

_MOST_SOCKETS: Final = 256


class ApiServer:
    """Runs from `start` to `stop`."""

    def __init__(
        self,
        node: Hosted,
        tokens: Tokens,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        else_free: bool = False,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
    ) -> None:
        """Args:
        else_free: take a free port if another program has that one.
        hosts: further names by which we are called, without port.
        origins: web pages that may call, such as `http://localhost:5173`.
        """
        self._door, self._tokens = Door(node), tokens
        self._hosts = {*_LOCAL, host, *hosts}
        self._origins = frozenset(origins)
        self._thread = ServingThread(
            "perun-api",
            self._app,
            host,
            port,
            else_free=else_free,
            patience=2,
            goodbye=self._goodbye,
        )
        self._sessions: set[Session] = set()
        self._document = msgspec.json.format(msgspec.json.encode(document()), indent=2)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._thread.url

    @property
    def port(self) -> int:
        """The one it listens at; before `start` the one it was told."""
        return self._thread.port

    def start(self) -> None:
        """Listens when it returns. Raises OSError if it cannot."""
        self._thread.start()

    def stop(self) -> None:
        """Says goodbye to everybody and returns when the thread has ended."""
        self._thread.stop()

    # ---------------------------------------------------------------------------------- the thread

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        app.router.add_post("/", self._post)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/openrpc.json", self._openrpc)
        return app

    async def _goodbye(self) -> None:
        for session in list(self._sessions):
            await session.goodbye()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        why = self._why_not(request)
        if why is not None:
            return web.Response(status=403, text=why + "\n")
        return await handler(request)

    def _why_not(self, request: web.Request) -> str | None:
        """Why a request is not even looked at; None: it is."""
        name = _name_of(request.headers.get(hdrs.HOST, ""))
        if name not in self._hosts:
            return "wrong Host: call this interface by the address that it listens at"
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in self._origins:
            return "wrong Origin: this web page is not on the list of those that may call"
        if request.query_string:
            return "no parameters in the URL: a token goes into the header"
        return None

    def _caller(self, request: web.Request) -> Caller | None:
        kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        return self._tokens.caller(token.strip()) if kind.lower() == "bearer" else None

    async def _post(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            # What a form of a foreign page could send is not taken either.
            return web.Response(status=415, text="send application/json\n")
        try:
            caller = self._caller(request)
        except PerunError as error:
            return web.Response(status=500, text=f"{error}\n")
        if caller is None:
            headers = {hdrs.WWW_AUTHENTICATE: "Bearer"}
            return web.Response(status=401, text="no such token\n", headers=headers)
        return _json(await self._carry_out(caller, await request.read()))

    async def _carry_out(self, caller: Caller, body: bytes) -> bytes:
        try:
            call = read_call(body)
        except Refused as refused:
            return refused.text
        try:
            if isinstance(call.params, Subscribe | Unsubscribe):
                raise NeedsSocket(call.method)
            return success(call.id, await self._door.call(caller, call.method, call.params))
        except PerunError as error:
            return failure(call.id, error)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if len(self._sessions) >= _MOST_SOCKETS:
            return web.Response(status=503, text="too many WebSockets\n")
        try:
            caller = self._caller(request)
        except PerunError as error:
            return web.Response(status=500, text=f"{error}\n")
        session = Session(self._door, self._tokens.caller, caller)
        self._sessions.add(session)
        try:
            return await session.run(request)
        finally:
            self._sessions.discard(session)

    async def _openrpc(self, _: web.Request) -> web.Response:
        return _json(self._document)


@dataclass(eq=False)
class NeedsSocket(Misuse):
    """Events are sent over a WebSocket only."""

    method: str

    template: ClassVar[str] = "{method} needs a WebSocket"
    hint: ClassVar[str] = "open one at /ws, or ask for `events` from time to time"


def _name_of(host: str) -> str:
    """The name in a Host header, in brackets if it is an IPv6 address; empty if it is none."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
