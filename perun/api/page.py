"""Serves the page: files that the build has made, and which network the page is for.

There is nothing in them that is anybody's own, so any host will do; what the page may load, and
from where, is said here once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from aiohttp import web

from perun.errors import Misuse
from perun.serving import runner

__all__ = ["DIST", "NotBuilt", "is_built", "page_app", "serve_app", "serve_page"]

DIST: Final = Path(__file__).parents[1] / "page" / "dist"
"""Where the build puts it."""

_HERE: Final = " ".join(
    f"{scheme}://{host}:*" for scheme in ("http", "ws") for host in ("127.0.0.1", "localhost")
)
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        # Python is WebAssembly; nothing is made of text and run.
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "manifest-src 'self'",
        # Whatever chain's node and hub people choose: by TLS, or on this machine.
        f"connect-src 'self' https: wss: {_HERE}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
_NAMED_BY_CONTENT: Final = ("/assets/", "/python-")


@dataclass(eq=False)
class NotBuilt(Misuse):
    """The page is not part of this installation."""

    folder: str

    template: ClassVar[str] = "there is no page in {folder}"
    hint: ClassVar[str] = (
        "in a clone of the repository `make page` builds it; it needs Node and npm"
    )


def is_built(folder: Path = DIST) -> bool:
    """Whether there is a page to serve."""
    return (folder / "index.html").exists()


def page_app(network: Mapping[str, str], folder: Path = DIST) -> web.Application:
    """An application that serves the page.

    Args:
        network: what the first screen proposes: `rpc`, `hub`, `name`, `faucet` …; no secrets.

    Raises:
        NotBuilt: there is no page in the folder.
    """
    if not is_built(folder):
        raise NotBuilt(str(folder))

    @web.middleware
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(_HEADERS)
        kept = request.path.startswith(_NAMED_BY_CONTENT) and response.status == 200
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if kept else "no-cache"
        )
        return response

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "index.html")

    async def about(_: web.Request) -> web.Response:
        return web.json_response(dict(network))

    app = web.Application(middlewares=[guard])
    app.router.add_get("/", index)
    app.router.add_get("/network.json", about)
    app.router.add_static("/", folder)
    return app


def serve_page(host: str, port: int, network: Mapping[str, str], ready: Callable[[], None]) -> None:
    """Serves the page until the process is interrupted.

    Raises:
        NotBuilt: there is no page.
        OSError: the address is taken, or not ours.
    """
    serve_app(host, port, page_app(network), ready)


def serve_app(host: str, port: int, app: web.Application, ready: Callable[[], None]) -> None:
    """Serves an application until the process is interrupted.

    Raises:
        OSError: the address is taken, or not ours.
    """

    async def live() -> None:
        running = runner(app)
        await running.setup()
        try:
            await web.TCPSite(running, host, port).start()
            ready()
            await asyncio.Event().wait()
        finally:
            await running.cleanup()

    asyncio.run(live())
