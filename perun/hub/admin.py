"""The operator's port: health, readiness, metrics, and administration; on this machine only.

    GET  /health /ready /metrics           for whoever watches over processes
    GET  /status /channels /peers /fees    with the owner's token
    POST /pause /resume /drain             with it, too

Other pages in a browser of this machine could call as well: so `Host` must be this machine, and
whatever names an `Origin` is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, Protocol

import msgspec
from aiohttp import hdrs, web

from perun.hub.metrics import Machinery, metrics
from perun.hub.shown import Status
from perun.serving_thread import ServingThread

__all__ = ["Admin", "Operated"]

_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
_SECONDS: Final = 10.0
"""In which a living node answers."""


class Operated(Protocol):
    """A hub, from outside its threads; each may take a while, and is called in a thread."""

    def status(self) -> Status:
        """Raises TimeoutError if the node does not answer."""

    def look(self, what: str) -> Any:
        """`channels`, `peers`, `fees`; raises TimeoutError."""

    def machinery(self) -> Machinery:
        """What needs no turn."""

    def pause(self, paused: bool) -> None:
        """Takes nothing new, or does again."""

    def end(self) -> None:
        """Drains and ends the process; returns at once."""

    def knows(self, token: str) -> bool:
        """Whether it is the owner's."""


class Admin:
    """Runs from `start` to `stop`, in a thread of its own."""

    paths: ClassVar[tuple[str, ...]] = ("channels", "peers", "fees")

    def __init__(self, hub: Operated, host: str, port: int, *, else_free: bool = False) -> None:
        """Args:
        port: 0 takes a free one.
        else_free: take a free one if another program has that port.
        """
        self._hub = hub
        self._thread = ServingThread("perun-hub-admin", self._app, host, port, else_free=else_free)

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
        """Listens no more; again does nothing."""
        self._thread.stop()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=1_024)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/status", self._status)
        for path in self.paths:
            app.router.add_get(f"/{path}", self._look)
        for path in ("pause", "resume", "drain"):
            app.router.add_post(f"/{path}", self._act)
        return app

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        name = request.headers.get(hdrs.HOST, "")
        if (name if name.endswith("]") else name.rpartition(":")[0] or name) not in _LOCAL:
            return web.Response(status=403, text="wrong Host: this is for this machine\n")
        if hdrs.ORIGIN in request.headers:
            return web.Response(status=403, text="web pages may not call this\n")
        if request.path not in ("/health", "/ready", "/metrics"):
            kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
            if kind.lower() != "bearer" or not self._hub.knows(token.strip()):
                return web.Response(status=401, text="the owner's token is wanted\n")
        try:
            return await handler(request)
        except TimeoutError:
            return web.Response(status=503, text="the node does not answer\n")

    async def _ask(self, question: Callable[..., Any], *given: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.run_in_executor(None, question, *given), _SECONDS)

    async def _health(self, _: web.Request) -> web.Response:
        machinery: Machinery = await self._ask(self._hub.machinery)
        return _said("healthy", machinery.healthy)

    async def _ready(self, _: web.Request) -> web.Response:
        machinery: Machinery = await self._ask(self._hub.machinery)
        return _said("ready", machinery.ready)

    async def _metrics(self, _: web.Request) -> web.Response:
        status = await self._ask(self._hub.status)
        machinery = await self._ask(self._hub.machinery)
        headers = {hdrs.CONTENT_TYPE: "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(text=metrics(status, machinery), headers=headers)

    async def _status(self, _: web.Request) -> web.Response:
        return _json(await self._ask(self._hub.status))

    async def _look(self, request: web.Request) -> web.Response:
        return _json(await self._ask(self._hub.look, request.path[1:]))

    async def _act(self, request: web.Request) -> web.Response:
        act = request.path[1:]
        if act == "drain":
            await self._ask(self._hub.end)
        else:
            await self._ask(self._hub.pause, act == "pause")
        return _json({"done": act})


def _said(what: str, is_so: bool) -> web.Response:
    text = what if is_so else f"not {what}"
    return web.Response(status=200 if is_so else 503, text=text + "\n")


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
