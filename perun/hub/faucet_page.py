"""`POST /faucet {"account": "0x…"}` at a hub's public port: answered once the gift is mined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from perun.crypto.interop import address
from perun.errors import WrongType
from perun.hub.faucet import Faucet, Gift
from perun.hub.guest import InTurn
from perun.hub.questions import Questions
from perun.hub.treasury import Treasury
from perun.nesting import read_json
from perun.node.guest import Desk
from perun.types import ZERO_ADDRESS, Address, Wei
from perun.wire.bodies import Bodies, BodyLimits, BodyRefused

__all__ = ["FAUCET_PATH", "FaucetPage"]

FAUCET_PATH: Final = "/faucet"
_LOOKS: Final = 100
_PAUSE: Final = 0.25
"""Seconds between two looks at the receiver's account."""
_MOST_BYTES: Final = 1_024
_AT_ONCE: Final = 64
_OF_AN_ADDRESS: Final = 4


class _Wish(msgspec.Struct, frozen=True):
    account: str


class FaucetPage:
    """In the wire's loop."""

    def __init__(
        self,
        faucet: Faucet,
        treasury: Treasury,
        questions: Questions,
        post: Callable[[InTurn], None],
        address_of: Callable[[web.Request], str],
    ) -> None:
        """Args:
        post: has something done in a turn of the node.
        address_of: where a request comes from.
        """
        self._faucet, self._treasury, self._questions = faucet, treasury, questions
        self._post = post
        # It counts until the gift is mined: one address does not take all places.
        self._bodies = Bodies(BodyLimits(_MOST_BYTES, at_once=_OF_AN_ADDRESS), address_of)
        self._waiting = 0

    async def serve(self, request: web.Request) -> web.Response:
        """The page."""
        if self._waiting >= _AT_ONCE:
            return _no(503, "others are being served; come back in a minute")
        self._waiting += 1
        try:
            async with self._bodies.read(request) as (body, group):
                return await self._answer(body, group)
        except BodyRefused as refused:
            return _no(refused.status, refused.why)
        except TimeoutError:
            return _no(503, "the hub is busy; look at your account in a minute")
        finally:
            self._waiting -= 1

    async def _answer(self, body: bytes, group: str) -> web.Response:
        try:
            account = address(read_json(body, _Wish).account)
        except (msgspec.DecodeError, WrongType):
            return _no(400, 'that is no account: say {"account": "0x…"}')
        if account == ZERO_ADDRESS:
            return _no(400, "nobody has that account")
        return await self._give(account, group)

    async def _give(self, account: Address, group: str) -> web.Response:
        before = await self._balance(account)
        if before is None:
            return _no(503, "the chain cannot be asked")
        given = await self._asked(account, group)
        if isinstance(given, str):
            return _no(403, given)
        for _ in range(_LOOKS):
            now = await self._balance(account)
            if now is not None and now >= before + given.amount:
                return _answer(200, wei=str(given.amount))
            await asyncio.sleep(_PAUSE)
        return _no(503, "the gift is on its way; look at your account in a minute")

    async def _asked(self, account: Address, group: str) -> Gift | str:
        def work(desk: Desk, answer: Callable[[Any], None]) -> None:
            given = self._faucet.ask(desk, account, group, self._treasury.balance)
            desk.after(lambda: answer(given))

        found: Gift | str = await _from_elsewhere(
            lambda answer: self._post(InTurn(lambda desk: work(desk, answer)))
        )
        return found

    async def _balance(self, account: Address) -> Wei | None:
        found: Wei | None = await _from_elsewhere(
            lambda answer: self._questions.balance(account, lambda _desk, wei: answer(wei))
        )
        return found


async def _from_elsewhere(ask: Callable[[Callable[[Any], None]], None]) -> Any:
    """What another thread answers."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def take(value: Any) -> None:
        if not future.done():
            future.set_result(value)

    def answer(value: Any) -> None:
        loop.call_soon_threadsafe(take, value)

    ask(answer)
    return await asyncio.wait_for(future, _LOOKS * _PAUSE)


def _no(status: int, reason: str) -> web.Response:
    return _answer(status, reason=reason)


def _answer(status: int, **fields: str) -> web.Response:
    # Any page may ask: what it asks for is a gift.
    headers = {"Access-Control-Allow-Origin": "*"}
    return web.json_response(fields, status=status, headers=headers)
