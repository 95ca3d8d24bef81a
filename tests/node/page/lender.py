"""What a page lends, lent by this process: real files, real HTTP, real WebSockets."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import aiohttp
from eth_account.hdaccount.mnemonic import Mnemonic
from eth_account.types import Language

from perun.page.lent import SocketEvents
from perun.page.rpc import Answer

WORDS: Final = tuple(Mnemonic(Language.ENGLISH).wordlist)


class DiskFile:
    """`perun.page.files.File` over a file of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def size(self) -> int:
        return os.fstat(self._at).st_size

    def read(self, at: int, size: int) -> bytes:
        return os.pread(self._at, size, at)

    def write(self, at: int, data: bytes) -> None:
        os.pwrite(self._at, data, at)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._at, size)

    def flush(self) -> None:
        os.fsync(self._at)

    def close(self) -> None:
        os.close(self._at)


class Lender:
    """`perun.page.lent.Lent`."""

    words: Sequence[str] = WORDS

    def __init__(self, folder: Path) -> None:
        self.files = [DiskFile(folder / f"store.{number}") for number in (0, 1)]
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reported: list[str] = []
        self.report = self.reported.append
        self.answers: Callable[[str], str] = lambda _: '{"over": true}'
        self._tasks: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """The worker is gone."""
        for task in self._tasks:
            task.cancel()
        for file in self.files:
            file.close()

    def post(self, url: str, body: str, seconds: float) -> Answer:
        return _asked("POST", url, body, seconds)

    async def fetch(self, method: str, url: str, body: str) -> Answer:
        return await asyncio.to_thread(_asked, method, url, body, 30)

    async def exchange(self, url: str, body: bytes) -> tuple[int, bytes]:
        return await asyncio.to_thread(_exchanged, url, body)

    async def wallet(self, question: str) -> str:
        """There is none; `answers` may stand for one."""
        return self.answers(question)

    def say(self, text: str) -> None:
        for line in text.split("\n"):
            self.said.put_nowait(json.loads(line))

    def socket(self, url: str, protocol: str, events: SocketEvents) -> _Line:
        line = _Line()
        task = asyncio.get_running_loop().create_task(line.live(url, protocol, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return line


class _Line:
    """A WebSocket."""

    def __init__(self) -> None:
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def live(self, url: str, protocol: str, events: SocketEvents) -> None:
        code, reason = 1006, "nobody answers"
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(url, protocols=(protocol,), max_msg_size=2**20) as socket,
            ):
                events.opened()
                writer = asyncio.create_task(self._write(socket))
                async for message in socket:
                    events.came(message.data)
                writer.cancel()
                code, reason = socket.close_code or 1006, "closed"
        except aiohttp.ClientError as error:
            reason = str(error)
        events.closed(code, reason)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while (data := await self._out.get()) is not None:
            await socket.send_bytes(data)
        await socket.close()

    def send(self, data: bytes) -> None:
        self._out.put_nowait(data)

    def waiting(self) -> int:
        return 0

    def close(self) -> None:
        self._out.put_nowait(None)


def _exchanged(url: str, body: bytes) -> tuple[int, bytes]:
    try:
        with urlopen(Request(url, body, method="POST"), timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def _asked(method: str, url: str, body: str, seconds: float) -> Answer:
    headers = {"Content-Type": "application/json" if method == "POST" else "text/plain"}
    request = Request(url, body.encode() or None, headers, method=method)
    try:
        with urlopen(request, timeout=seconds) as answer:
            return Answer(answer.status, answer.read().decode())
    except HTTPError as error:
        return Answer(error.code, error.read().decode())
    except OSError as error:
        return Answer(0, str(error))
