"""Something between two that delays, splits, loses and resets what they say, until it is told to be
calm."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress


class Proxy:
    """Listens on a port of its own, in its own thread; carries to `target` once that is set."""

    def __init__(self, seed: int) -> None:
        self.target = 0
        self.calm = True
        self.mute = False
        """Takes everything, says nothing: what a lost network looks like."""
        self.faults = 0
        self._dice = random.Random(seed)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._end.wait()
        server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                ways = (self._pump(reader, back), self._pump(there, writer))
                tasks = [asyncio.create_task(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
            finally:
                back.transport.abort()
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4_096):
                fate = 1.0 if self.calm else self._dice.random()
                if fate < 0.02:
                    self.faults += 1
                    # Reset, with what was under way lost or cut.
                    writer.write(data[: self._dice.randrange(len(data) + 1)])
                    return
                if fate < 0.3:
                    await asyncio.sleep(self._dice.random() * 0.02)
                at = len(data) if fate > 0.5 else self._dice.randrange(len(data) + 1)
                for part in (data[:at], data[at:]):
                    if part and not self.mute:
                        writer.write(part)
                        await writer.drain()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


__all__ = ["Proxy"]
