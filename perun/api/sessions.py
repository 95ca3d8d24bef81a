"""One WebSocket: calls side by side, events as they come, the token first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from perun.api.door import Door
from perun.api.protocol import MAX_BODY, Call, Refused, failure, notification, read_call, success
from perun.app.errors import BadParams, NoSuch
from perun.app.methods import Subscribe, Unsubscribe
from perun.app.values import Event, Subscribed
from perun.app.work import Caller
from perun.errors import PerunError
from perun.nesting import read_json

__all__ = ["Session"]

UNKNOWN_TOKEN: Final = 4401
TOO_SLOW: Final = 4408
_SECONDS_TO_SAY_WHO: Final = 10
_MOST_AT_ONCE: Final = 64
"""Calls of one WebSocket that are not answered yet; more of them wait unread."""
_MOST_SUBSCRIPTIONS: Final = 64
_MOST_UNSENT: Final = 10_000
"""Events that a reader may be behind."""


class _First(msgspec.Struct, frozen=True):
    """The first message of a WebSocket without header."""

    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return "_First()"


class Session:
    """From its first message to its end."""

    def __init__(
        self, door: Door, known: Callable[[str], Caller | None], caller: Caller | None
    ) -> None:
        self._door, self._known, self._caller = door, known, caller
        self._socket = web.WebSocketResponse(
            heartbeat=30, max_msg_size=MAX_BODY + 1, compress=False
        )
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)
        self._unsent: asyncio.Queue[bytes] = asyncio.Queue(_MOST_UNSENT)
        self._subscriptions: set[str] = set()
        self._subscribing = 0
        """Those, and those that are not answered yet."""
        self._too_slow = asyncio.Event()

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Serves until the other side, or we, end it."""
        socket = self._socket
        await socket.prepare(request)
        caller = self._caller or await self._first_message()
        if caller is None:
            await socket.close(code=UNKNOWN_TOKEN, message=b"say your token first")
            return socket
        try:
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send_events())
                watcher = tasks.create_task(self._end_the_slow())
                serving: set[asyncio.Task[None]] = set()
                async for message in socket:
                    if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                        break
                    await self._room.acquire()
                    task = tasks.create_task(self._serve(caller, message.data))
                    serving.add(task)
                    task.add_done_callback(serving.discard)
                for task in (sender, watcher, *serving):
                    task.cancel()
        finally:
            await self._unsubscribe(caller)
        return socket

    async def goodbye(self) -> None:
        """The listener ends."""
        await self._socket.close(code=1001, message=b"the node is stopping")

    async def _first_message(self) -> Caller | None:
        """Whoever the first message says; a web page cannot set headers."""
        try:
            message = await self._socket.receive(timeout=_SECONDS_TO_SAY_WHO)
            if message.type is not WSMsgType.TEXT:
                return None
            caller = self._known(read_json(message.data, _First).token)
        except (TimeoutError, msgspec.MsgspecError, PerunError):
            return None
        if caller is not None:
            scope = caller.scope.name.lower()
            await self._say(notification("hello", {"token": caller.token, "scope": scope}))
        return caller

    async def _serve(self, caller: Caller, data: bytes | str) -> None:
        try:
            await self._say(await self._answer(caller, data))
        finally:
            self._room.release()

    async def _answer(self, caller: Caller, data: bytes | str) -> bytes:
        try:
            call = read_call(data)
        except Refused as refused:
            return refused.text
        try:
            return success(call.id, await self._carry_out(caller, call))
        except PerunError as error:
            return failure(call.id, error)

    async def _carry_out(self, caller: Caller, call: Call) -> object:
        params = call.params
        if isinstance(params, Unsubscribe):
            if params.subscription not in self._subscriptions:
                raise NoSuch("subscription", params.subscription)
            self._subscriptions.discard(params.subscription)
            self._subscribing -= 1
            return await self._door.call(caller, call.method, params)
        if not isinstance(params, Subscribe):
            return await self._door.call(caller, call.method, params)
        if self._subscribing >= _MOST_SUBSCRIPTIONS:
            raise BadParams(f"{_MOST_SUBSCRIPTIONS} subscriptions of one WebSocket are the most")
        self._subscribing += 1
        name: list[str] = []
        early: list[list[Event]] = []
        loop = asyncio.get_running_loop()

        def put(rows: list[Event]) -> None:
            if not name:
                early.append(rows)
            else:
                self._put(name[0], rows)

        def push(rows: list[Event]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(put, rows)

        try:
            subscribed: Subscribed = await self._door.call(caller, call.method, params, push)
        except BaseException:
            self._subscribing -= 1
            raise
        self._subscriptions.add(subscribed.subscription)
        # The answer is sent before the events: they wait in the queue.
        name.append(subscribed.subscription)
        for rows in early:
            self._put(subscribed.subscription, rows)
        return subscribed

    def _put(self, subscription: str, rows: list[Event]) -> None:
        for row in rows:
            body = notification("event", {"subscription": subscription, "event": row})
            try:
                self._unsent.put_nowait(body)
            except asyncio.QueueFull:
                self._too_slow.set()
                return

    async def _send_events(self) -> None:
        while True:
            await self._say(await self._unsent.get())

    async def _end_the_slow(self) -> None:
        await self._too_slow.wait()
        text = b"too far behind: subscribe again after the last number you have"
        await self._socket.close(code=TOO_SLOW, message=text)

    async def _say(self, body: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(body.decode())

    async def _unsubscribe(self, caller: Caller) -> None:
        for name in self._subscriptions:
            with contextlib.suppress(PerunError):
                await self._door.call(caller, "unsubscribe", Unsubscribe(subscription=name))
