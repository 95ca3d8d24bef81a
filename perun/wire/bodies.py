"""What strangers post to a page of a listener: read within bounds of number, size and time.

A body counts from its first byte until it is answered, so that neither those who send slowly nor
those who send much have more of our memory than is said here, however many connections they hold.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from perun.wire.buckets import Bucket

__all__ = ["Bodies", "BodyLimits", "BodyRefused"]

_PIECE: Final = 2**16
_MOST_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """What whoever posts may cost."""

    most: int
    """Bytes of one."""
    in_all: int = 64 * 2**20
    """Bytes of all that are not answered yet; then whoever has sent most of one goes."""
    at_once: int = 8
    """Bodies of one address that are not answered yet."""
    each_second: float = 20
    """Bodies of one address; ten seconds' worth at once."""
    bytes_each_second: float = 2**20
    """… and their bytes; two of the longest at once."""
    seconds: float = 30
    """From its first byte to its last."""


class BodyRefused(Exception):
    """Nobody reads it; with words for whoever has sent it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        """Of HTTP."""
        self.why = why


@dataclass(eq=False, slots=True)
class _Body:
    size: int = 0
    coming: asyncio.Timeout | None = None
    """Ends its reading; None: it is read."""


class Bodies:
    """Of one page, in the listener's loop."""

    def __init__(self, limits: BodyLimits, address_of: Callable[[web.Request], str]) -> None:
        """Args:
        address_of: where a request comes from, as what counts as one address.
        """
        self._limits, self._address_of = limits, address_of
        self._at_once: Counter[str] = Counter()
        self._under_way: set[_Body] = set()
        self._often: dict[str, tuple[Bucket, Bucket]] = {}

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[tuple[bytes, str]]:
        """A body and the address that it comes from; it is answered when the block ends.

        Raises:
            BodyRefused: too many, too much, or too slow.
        """
        group, body = self._address_of(request), _Body()
        often, much = self._buckets(group)
        if not often.take(1, time.monotonic()):
            raise BodyRefused(429, "too many requests from your address; ask again in a while")
        if self._at_once[group] >= self._limits.at_once:
            raise BodyRefused(429, "others from your address are being answered; ask again")
        self._at_once[group] += 1
        self._under_way.add(body)
        try:
            data = await self._all_of(request, body)
            if not much.take(len(data), time.monotonic()):
                raise BodyRefused(429, "too many bytes from your address; ask again in a while")
            yield data, group
        finally:
            self._under_way.discard(body)
            self._at_once[group] -= 1
            if not self._at_once[group]:
                del self._at_once[group]

    async def _all_of(self, request: web.Request, body: _Body) -> bytes:
        data, most = bytearray(), self._limits.most
        try:
            async with asyncio.timeout(self._limits.seconds) as body.coming:
                async for piece in request.content.iter_chunked(_PIECE):
                    data += piece
                    if len(data) > most:
                        raise BodyRefused(413, f"more than {most} bytes")
                    body.size = len(data)
                    self._make_room()
        except TimeoutError:
            raise BodyRefused(408, "it came too slowly") from None
        finally:
            body.coming = None
        return bytes(data)

    def _make_room(self) -> None:
        if sum(body.size for body in self._under_way) <= self._limits.in_all:
            return
        coming = [body for body in self._under_way if body.coming is not None]
        largest = max(coming, key=lambda body: body.size)
        assert largest.coming is not None
        largest.coming.reschedule(asyncio.get_running_loop().time())

    def _buckets(self, group: str) -> tuple[Bucket, Bucket]:
        now, limits = time.monotonic(), self._limits
        if len(self._often) > _MOST_BUCKETS:
            self._often = {
                known: both
                for known, both in self._often.items()
                if not all(bucket.is_full(now) for bucket in both)
            }
        fresh = (
            Bucket(limits.each_second, 10 * limits.each_second, now),
            Bucket(limits.bytes_each_second, 2 * limits.most, now),
        )
        return self._often.setdefault(group, fresh)
