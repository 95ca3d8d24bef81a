"""A client of a node on this machine that asks side by side, and hears events as they come.

async with perun.connect_async() as node:
    async for event in node.watch():
        …
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from perun.api.amounts import has_names, in_digits, tokens_among
from perun.api.calls import AsyncCalls
from perun.api.client import (
    PATIENCE,
    TRIES,
    CallRefused,
    NotReached,
    body_of,
    find,
    question_about,
    result_of,
)
from perun.app.values import Event, Network, Token

__all__ = ["AsyncNode", "connect_async"]


class AsyncNode(AsyncCalls):
    """A node, asked over HTTP side by side; events come over a WebSocket. An async context."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None
        self._tokens: tuple[Token, ...] = ()

    def __repr__(self) -> str:
        """Without the token."""
        return f"AsyncNode({self.url})"

    async def __aenter__(self) -> AsyncNode:
        self._session = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()
        self._session = None

    async def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        question = question_about(method, fields)
        about = None
        if question is not None:
            answer = await self._call(question.method, question.result, question.fields)
            about = question.answered(answer)
        fields = in_digits(fields, await self._tokens_for(fields, about), about)
        body = body_of(next(self._numbers), method, fields)
        patience = aiohttp.ClientTimeout(total=PATIENCE + (fields.get("wait") or 0))
        reason = ""
        for _ in range(TRIES):
            try:
                return result_of(await self._post(body, patience), result)
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
        raise NotReached(self.url, reason)

    async def _tokens_for(self, fields: dict[str, Any], about: str | None) -> tuple[Token, ...]:
        if not self._tokens and has_names(fields, about):
            self._tokens = tokens_among(await self._call("networks", tuple[Network, ...], {}))
        return self._tokens

    async def _post(self, body: bytes, patience: aiohttp.ClientTimeout) -> bytes:
        session = self._opened()
        headers = {"Content-Type": "application/json"}
        async with session.post(self.url, data=body, headers=headers, timeout=patience) as response:
            answer = await response.read()
            if response.status != 200:
                text = answer.decode(errors="replace").strip()
                raise CallRefused(
                    response.status, "Http", f"HTTP {response.status}: {text}", {}, ""
                )
            return answer

    def _opened(self) -> aiohttp.ClientSession:
        assert self._session is not None, "use it as `async with perun.connect_async() as node`"
        return self._session

    async def watch(
        self, since: int | None = None, kinds: Sequence[str] = ()
    ) -> AsyncIterator[Event]:
        """Events from now on, or after a number, until the connection is lost."""
        fields: dict[str, Any] = {"since": since, "kinds": list(kinds)}
        async with self._opened().ws_connect(f"{self.url}/ws", heartbeat=30) as socket:
            await socket.send_str(body_of(0, "subscribe", fields).decode())
            result_of((await socket.receive_str()).encode(), Any)
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                told = msgspec.json.decode(message.data, type=_Told)
                yield told.params.event


class _EventOf(msgspec.Struct):
    event: Event


class _Told(msgspec.Struct):
    params: _EventOf


def connect_async(
    url: str | None = None, token: str | None = None, home: Path | str | None = None
) -> AsyncNode:
    """Like `connect`, for `async with`."""
    return AsyncNode(*find(url, token, home))
