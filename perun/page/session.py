"""The application interface between page and worker: the same messages as to a daemon.

There is one caller, who sits in front of it: no token, no limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from perun.api.door import Door
from perun.api.protocol import Call, Refused, failure, notification, read_call, success
from perun.app.methods import Subscribe
from perun.app.values import Event, Subscribed
from perun.app.work import Caller
from perun.errors import BrokenInvariant, PerunError

__all__ = ["PageSession"]


class PageSession:
    """Answers calls, side by side, and tells events."""

    def __init__(self, door: Door, say: Callable[[str], None]) -> None:
        """Hears nothing yet.

        Args:
            say: takes messages for the page, one a line.
        """
        self._door, self._lines = door, say
        self._said: list[str] = []
        self._caller = Caller()
        self._serving: set[asyncio.Task[None]] = set()

    def take(self, text: str) -> None:
        """A message of the page; it is answered by `say`."""
        task = asyncio.get_running_loop().create_task(self._serve(text))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, text: str) -> None:
        try:
            call = read_call(text)
        except Refused as refused:
            self._say(refused.text)
            return
        try:
            answer = success(call.id, await self._carry_out(call))
        except PerunError as error:
            answer = failure(call.id, error)
        except Exception as error:
            answer = failure(call.id, BrokenInvariant(f"{type(error).__name__}: {error}"))
        self._say(answer)

    async def _carry_out(self, call: Call) -> object:
        params = call.params
        if not isinstance(params, Subscribe):
            return await self._door.call(self._caller, call.method, params)
        early: list[list[Event]] = []
        name: list[str] = []

        def push(rows: list[Event]) -> None:
            if name:
                self._tell(name[0], rows)
            else:
                early.append(rows)

        subscribed: Subscribed = await self._door.call(self._caller, call.method, params, push)
        # The answer is said first: what comes in the meantime follows in the next round.
        asyncio.get_running_loop().call_soon(self._begin, subscribed.subscription, name, early)
        return subscribed

    def _begin(self, subscription: str, name: list[str], early: list[list[Event]]) -> None:
        name.append(subscription)
        for rows in early:
            self._tell(subscription, rows)

    def _tell(self, subscription: str, rows: list[Event]) -> None:
        for row in rows:
            self._say(notification("event", {"subscription": subscription, "event": row}))

    def _say(self, message: bytes) -> None:
        # What one turn has to tell crosses to the page at once: each crossing costs both sides.
        if not self._said:
            asyncio.get_running_loop().call_soon(self._say_all)
        self._said.append(message.decode())

    def _say_all(self) -> None:
        text = "\n".join(self._said)
        self._said.clear()
        self._lines(text)
