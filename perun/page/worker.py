"""What the page's JavaScript calls, in the worker that it runs Python in.

`perun_page` is what the page lends (`dapp/src/node/lent.ts`), as JavaScript gives it; here it
becomes what `perun.page.lent` says. Loaded in a browser only.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import perun_page
from pyodide.ffi import create_proxy, to_js

from perun.crypto.interop import address, checksum
from perun.errors import PerunError
from perun.page.bringing_back import kept_at
from perun.page.household import Household, Wanted
from perun.page.lent import SocketEvents
from perun.page.moving_in import open_household
from perun.page.rpc import Answer
from perun.types import Asset, ChannelId
from perun.wallet.phrase import phrase_of, words_of

__all__ = ["faucet", "look", "new_phrase", "rehearse", "start", "take", "token"]

_ENTROPY: Final = 16
_AMOUNTS: Final = ("ours", "theirs", "soon")
"""Of a scene: told as decimal text, as everywhere."""


class _File:
    """`perun.page.files.File` over a synchronous access handle."""

    def __init__(self, number: int) -> None:
        self._number = number

    def size(self) -> int:
        return int(perun_page.fileSize(self._number))

    def read(self, at: int, size: int) -> bytes:
        data: bytes = perun_page.fileRead(self._number, at, size).to_bytes()
        return data

    def write(self, at: int, data: bytes) -> None:
        perun_page.fileWrite(self._number, at, to_js(data))

    def truncate(self, size: int) -> None:
        perun_page.fileTruncate(self._number, size)

    def flush(self) -> None:
        perun_page.fileFlush(self._number)


class _Line:
    """`perun.page.lent.OpenSocket`."""

    def __init__(self, url: str, protocol: str, events: SocketEvents) -> None:
        self._calls = [
            create_proxy(events.opened),
            create_proxy(lambda data: events.came(data.to_bytes())),
            create_proxy(self._closed),
        ]
        self._events = events
        self._line = perun_page.socket(url, protocol, *self._calls)

    def _closed(self, code: int, reason: str) -> None:
        self._events.closed(code, reason)
        for call in self._calls:
            call.destroy()

    def send(self, data: bytes) -> None:
        self._line.send(to_js(data))

    def waiting(self) -> int:
        return int(self._line.waiting())

    def close(self) -> None:
        self._line.close()


class _Lent:
    """`perun.page.lent.Lent`."""

    files = (_File(0), _File(1))

    def __init__(self) -> None:
        self.words: Sequence[str] = perun_page.words().split()
        self.say = perun_page.say
        self.report = perun_page.report

    def post(self, url: str, body: str, seconds: float) -> Answer:
        return _answer(perun_page.post(url, body, seconds))

    async def fetch(self, method: str, url: str, body: str) -> Answer:
        return _answer(await perun_page.fetch(method, url, body))

    async def exchange(self, url: str, body: bytes) -> tuple[int, bytes]:
        status, answer = await perun_page.exchange(url, to_js(body))
        return int(status), answer.to_bytes()

    async def wallet(self, question: str) -> str:
        answer: str = await perun_page.wallet(question)
        return answer

    def socket(self, url: str, protocol: str, events: SocketEvents) -> _Line:
        return _Line(url, protocol, events)


def _answer(text: str) -> Answer:
    """Status and body, a space between them."""
    status, _, body = text.partition(" ")
    return Answer(int(status), body)


_lent: Final = _Lent()
_living: dict[str, Any] = {}


async def start(settings: str) -> str:
    """Opens the store and lives; answers in JSON who we are, or what is wrong."""
    try:
        wanted = msgspec.json.decode(settings, type=Wanted)
        house = await open_household(_lent, wanted)
    except PerunError as error:
        return _refused(error)
    _living["house"] = house
    _living["task"] = asyncio.get_running_loop().create_task(_live(house))
    who = {"node": house.name, "account": house.account, "purse": house.purse}
    return msgspec.json.encode(who).decode()


async def look(settings: str) -> str:
    """What the hub keeps of these words, in JSON, or what is wrong."""
    try:
        wanted = msgspec.json.decode(settings, type=Wanted)
        phrase = words_of(wanted.phrase, _lent.words)
        found = await kept_at(_lent, phrase, wanted.hub)
    except PerunError as error:
        return _refused(error)
    return msgspec.json.encode({"found": found}).decode()


def _refused(error: PerunError) -> str:
    fault = {"name": type(error).__name__, "text": str(error), "do": error.hint or ""}
    return msgspec.json.encode({"error": fault}).decode()


async def _live(house: Household) -> None:
    try:
        await house.live()
    except BaseException as error:
        perun_page.failed(_why(error))
        raise


def _why(error: BaseException) -> str:
    """Of what went wrong in several tasks the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, PerunError):
        return f"{error}; {error.hint}" if error.hint else str(error)
    return f"{type(error).__name__}: {error}"


def take(text: str) -> None:
    """A call of the application interface; answered by `say`."""
    _living["house"].session.take(text)


async def faucet() -> str:
    """What the hub's faucet says."""
    said: str = await _living["house"].faucet()
    return said


def token(asset: str) -> str:
    """Takes a token from now on; in JSON what it is called, and what our account has of it."""
    house = _living["house"]
    try:
        found, has = house.deal_in(Asset(address(asset)))
    except PerunError as error:
        return _refused(error)
    shown = {"asset": checksum(found.asset), "symbol": found.symbol, "decimals": found.decimals}
    return msgspec.json.encode({"token": {**shown, "has": str(has)}}).decode()


def rehearse(channel: str) -> str:
    """How a dispute about a channel would end, in JSON, and what gas costs; or what is wrong."""
    house = _living["house"]
    try:
        scenes = house.rehearse(ChannelId(bytes.fromhex(channel[2:])))
    except PerunError as error:
        return _refused(error)
    shown = [
        {**msgspec.structs.asdict(scene), **{name: str(getattr(scene, name)) for name in _AMOUNTS}}
        for scene in scenes
    ]
    price = str(house.node.books.chain.gas_price)
    played = {"scenes": shown, "gasPrice": price}
    return msgspec.json.encode({"played": played}).decode()


def new_phrase() -> str:
    """Twelve words that nobody has."""
    return phrase_of(secrets.token_bytes(_ENTROPY), _lent.words)
