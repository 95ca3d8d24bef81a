"""What our HTTP servers have in common: a log that strangers cannot fill, and so many connections.

The library writes a traceback for every request that makes no sense, with what was sent: megabytes
a second for whoever likes, and a token if it stood there. Here a failure is named once a minute,
by its kind and place.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["Gate", "room_for_files", "runner"]

_EVERY: Final = 60.0
"""Seconds between two lines about the same."""
_MOST_KINDS: Final = 1_000
_COMING: Final = 1.0
"""Seconds in which a connection that was let in has its transport."""
_OTHER_FILES: Final = 1_024
"""What a process holds besides its connections, and to spare."""


def room_for_files(connections: int) -> int:
    """Lets this process have so many connections, as far as the system allows it: most begin with
    1,024 files and may have more. Returns how many files it may have now; 0: unknown."""
    try:
        import resource
    except ImportError:  # Not on Windows, which has no such limit.
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if resource.RLIM_INFINITY not in (soft, hard):
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def runner(app: web.Application, **more: Any) -> web.AppRunner:
    """Serves an application; keeps no log of requests."""
    return web.AppRunner(app, access_log=None, handle_signals=False, logger=_log(), **more)


def _log() -> logging.Logger:
    logger = logging.getLogger("perun.http")
    if not logger.filters:
        logger.addFilter(_Terse())
    return logger


class _Terse(logging.Filter):
    """Leaves of a failure what nobody outside has written."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is worth a line, which is made anew."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or isinstance(error, HttpProcessingError | ConnectionError):
            return False
        frame = next(iter(traceback.extract_tb(error.__traceback__)[-1:]), None)
        where = "" if frame is None else f" at {frame.filename}:{frame.lineno}"
        record.msg, record.args = f"a page failed: {type(error).__name__}{where}", ()
        record.exc_info = record.exc_text = record.stack_info = None
        return self._is_due(record.msg)

    def _is_due(self, line: str) -> bool:
        now = time.monotonic()
        if now - self._told.get(line, now - _EVERY) < _EVERY or len(self._told) > _MOST_KINDS:
            return False
        self._told[line] = now
        return True


class Gate:
    """Lets in so many connections: those that have never asked anything go first.

    A page on this machine is asked by few. Others who use the machine could hold as many
    connections as the process may have files, and then it reaches no chain any more.
    """

    def __init__(self, runner: web.AppRunner, most: int = 256) -> None:
        """Args:
        runner: is set up before `listen`.
        """
        self._runner, self._most = runner, most
        self._silent: dict[asyncio.BaseProtocol, float] = {}
        """Oldest first, and since when."""
        self._forgetting: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int, *, else_free: bool = False) -> int:
        """Lets in from now on; the port, which the system chooses if it is 0.

        Args:
            else_free: take a free port if another program has that one.

        Raises:
            OSError: it cannot listen.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._arrive, host, port)
        except OSError as error:
            if not else_free or error.errno != errno.EADDRINUSE:
                raise
            self._server = await loop.create_server(self._arrive, host, 0)
        self._forgetting = loop.create_task(self._forget())
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    def asked(self, request: web.Request) -> None:
        """A connection has asked something."""
        self._silent.pop(request.protocol, None)

    async def close(self) -> None:
        """Lets in no more, and ends what there is."""
        if self._forgetting is not None:
            self._forgetting.cancel()
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _arrive(self) -> asyncio.BaseProtocol:
        served = self._runner.server
        if served is None:
            return _TurnedAway()
        now = asyncio.get_running_loop().time()
        coming = [one for one, since in self._silent.items() if _is_coming(one, now - since)]
        there = [one for one in served.connections if _transport(one) is not None]
        if len(there) + len(coming) >= self._most and not self._one_goes(there):
            return _TurnedAway()
        protocol = served()
        self._silent[protocol] = now
        return protocol

    def _one_goes(self, there: Sequence[asyncio.BaseProtocol]) -> bool:
        """The one that has been silent for longest; whether there is one."""
        silent = {one: None for one in there if one in self._silent}
        oldest = next((one for one in self._silent if one in silent), None)
        transport = None if oldest is None else _transport(oldest)
        if oldest is None or transport is None:
            return False
        del self._silent[oldest]
        transport.abort()
        return True

    async def _forget(self) -> None:
        """Those that have gone without a word."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_COMING)
            now = loop.time()
            self._silent = {
                one: since
                for one, since in self._silent.items()
                if _transport(one) is not None or _is_coming(one, now - since)
            }


def _transport(protocol: asyncio.BaseProtocol) -> asyncio.Transport | None:
    found: asyncio.Transport | None = getattr(protocol, "transport", None)
    return None if found is None or found.is_closing() else found


def _is_coming(protocol: asyncio.BaseProtocol, age: float) -> bool:
    """Whether it has no transport because it is new, and not because it has gone."""
    return age < _COMING and getattr(protocol, "transport", None) is None


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is no room."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
