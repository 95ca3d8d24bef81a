"""A page of ours in a thread of its own: it listens when `start` returns, and ends with `stop`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from aiohttp import web

from perun.serving import Gate, runner

__all__ = ["ServingThread"]


class ServingThread:
    """Serves one application from `start` to `stop`."""

    def __init__(
        self,
        name: str,
        app: Callable[[], web.Application],
        host: str,
        port: int,
        *,
        else_free: bool = False,
        patience: float = 1.0,
        goodbye: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Args:
        app: makes what is served, in the thread.
        port: 0 takes a free one.
        else_free: take a free one if another program has that port.
        patience: seconds that requests under way have at the end.
        goodbye: what is done at the end, while connections still are.
        """
        self._app, self._goodbye, self._patience = app, goodbye, patience
        self._host, self.port, self._else_free = host, port, else_free
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._stop: Callable[[], object] | None = None
        self.gate: Gate | None = None
        """Who is let in; None: it has not listened yet."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> None:
        """Listens when it returns. Raises OSError if it cannot."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Listens no more, and returns when the thread has ended; again does nothing."""
        if self._stop is not None and self._thread.is_alive():
            self._stop()
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        app = self._app()
        served = runner(app, shutdown_timeout=self._patience)
        app.middlewares.insert(0, self._count)
        await served.setup()
        self.gate = Gate(served)
        try:
            self.port = await self.gate.listen(self._host, self.port, else_free=self._else_free)
            self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
            self._ready.set()
            await stopped.wait()
            if self._goodbye is not None:
                await self._goodbye()
        finally:
            await self.gate.close()

    @web.middleware
    async def _count(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Whoever asks something is not the first to go."""
        if self.gate is not None:
            self.gate.asked(request)
        return await handler(request)
