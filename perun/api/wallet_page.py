"""The page over a daemon's node: the same files, and a way to the daemon on the page's own origin.

The page must learn the owner's token, and nobody else may: other users of the machine see command
lines and can connect to ports, other web pages can ask any port. So

- a *code* goes to the browser, behind the `#` of a link, which no browser sends anywhere; the link
  lies in a file that only its owner can read, never in a command line;
- the page changes it for the token, once, on its own origin; it is good for ten minutes;
- what reaches the daemon is text of a WebSocket that begins with that token.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import WSMsgType, hdrs, web

from perun.api.page import DIST, page_app
from perun.api.protocol import MAX_BODY
from perun.nesting import read_json

__all__ = ["Code", "wallet_app", "write_link"]

_GOOD_FOR: Final = 600.0
"""Seconds."""
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
NOT_RUNNING: Final = 4503
"""Why a WebSocket of the page ends: there is no node."""


class Code:
    """Good once."""

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(32)
        self._until: float | None = time.monotonic() + _GOOD_FOR

    def take(self, offered: str) -> bool:
        """Whether it is this one, not taken yet and not too old."""
        same = hmac.compare_digest(offered.encode(), self.text.encode())
        if not same or self._until is None or time.monotonic() > self._until:
            return False
        self._until = None
        return True


class _Offered(msgspec.Struct, frozen=True):
    code: str


def write_link(path: Path, url: str) -> None:
    """A file that takes a browser to `url`; only its owner can read it.

    Raises:
        OSError: it cannot be written.
    """
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={url}"><title>Perun</title>'
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(page)


def wallet_app(
    node: Callable[[], str],
    network: Mapping[str, str],
    codes: Callable[[str], bool],
    token: str,
    folder: Path = DIST,
) -> web.Application:
    """An application that serves the page over a daemon's node.

    Args:
        node: where the daemon's interface is now, such as `http://127.0.0.1:7071`; raises OSError
            while none runs.
        network: what the first screen proposes; no secrets.
        codes: whether a code is good; it is not after that.
        token: what whoever has a code may have.

    Raises:
        NotBuilt: there is no page in the folder.
    """
    app = page_app({**network, "node": "daemon"}, folder)

    async def hand_over(request: web.Request) -> web.Response:
        _require_own_page(request)
        try:
            offered = read_json(await request.read(), _Offered)
        except msgspec.MsgspecError:
            return web.Response(status=400)
        if not codes(offered.code):
            return web.Response(status=403, text="this link was used, or is too old\n")
        return web.json_response({"token": token})

    async def pass_on(request: web.Request) -> web.StreamResponse:
        _require_own_page(request)
        page = web.WebSocketResponse(heartbeat=30, max_msg_size=MAX_BODY + 1, compress=False)
        await page.prepare(request)
        try:
            async with aiohttp.ClientSession() as client:
                url = node().rstrip("/") + "/ws"
                async with client.ws_connect(url, max_msg_size=0, heartbeat=30) as daemon:
                    await _both_ways(page, daemon)
                    code = daemon.close_code or NOT_RUNNING
        except (OSError, aiohttp.ClientError):
            code = NOT_RUNNING
        await page.close(code=code)
        return page

    app.router.add_post("/token", hand_over)
    app.router.add_get("/ws", pass_on)
    return app


def _require_own_page(request: web.Request) -> None:
    """Names that others point at this machine, and other pages, are not listened to."""
    host = request.headers.get(hdrs.HOST, "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in _LOCAL or request.headers.get(hdrs.ORIGIN) != f"http://{host}":
        raise web.HTTPForbidden(text="only the page that is served here may ask this\n")


async def _both_ways(page: web.WebSocketResponse, daemon: aiohttp.ClientWebSocketResponse) -> None:
    """Until one of the two ends it."""

    async def up() -> None:
        async for message in page:
            if message.type is WSMsgType.TEXT:
                await daemon.send_str(message.data)

    async def down() -> None:
        async for message in daemon:
            if message.type is WSMsgType.TEXT:
                await page.send_str(message.data)

    tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
