"""A place that others ask: routes on a listener, bounds, and a shelf.

Owners are free to make, so what a stranger may fill is counted by the address it comes from, and
new ones are turned away while half of the room is left for those who are here already. Nothing of
theirs is ever taken away for somebody else's sake.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from perun.backup.entries import BadEntry, Entry
from perun.backup.requests import (
    BACKUP_PATH,
    MOST_ENTRY,
    MOST_READ,
    SKEW,
    Answer,
    Request,
    SlotAnswer,
)
from perun.backup.shelf import NotNext, Shelf
from perun.errors import PerunError
from perun.wire.bodies import Bodies, BodyLimits, BodyRefused

__all__ = ["BackupService", "PlaceLimits"]

_GROUP: Final = "from"
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """What a place gives away."""

    entry: int = MOST_ENTRY
    """Bytes of one entry."""
    owner: int = 64 * 2**20
    """Bytes of all entries of one owner."""
    slots: int = 64
    """Stores of one owner."""
    address: int = 256 * 2**20
    """Bytes of all owners that first came from one address."""
    total: int = 16 * 2**30
    """Bytes in all; new owners come in while it is less than half full."""
    least: int = 2**16
    """Bytes that an owner counts for, however few it has."""
    keep_days: int = 730
    """A slot whose store was not seen for so long is forgotten."""

    @property
    def piece(self) -> int:
        """Bytes that an entry counts for, however short it is: a file takes as many."""
        return self.least // 16


class _Refused(Exception):
    """With words for the asker."""


class BackupService:
    """Answers requests; `add_to` a web application."""

    def __init__(
        self,
        folder: Path,
        address_of: Callable[[web.Request], str],
        limits: PlaceLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Looks at what is there.

        Args:
            address_of: where a request comes from, as what counts as one address.

        Raises:
            ShelfBroken: the folder cannot be read.
        """
        self.limits = limits or PlaceLimits()
        self.shelf = Shelf(folder)
        self._clock = clock
        self._bodies = Bodies(BodyLimits(self.limits.entry + 1_024), address_of)
        # Disk and signatures wait here, links do not; one thread: one writer.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="perun-backups")
        self._used: dict[bytes, dict[str, int]] = {}
        self._group: dict[bytes, str] = {}
        self._count()
        self._cleaned = clock()

    def add_to(self, app: web.Application) -> None:
        """Serves at `/backup`."""
        app.router.add_post(BACKUP_PATH, self._serve)

    def close(self) -> None:
        """Finishes what is being written."""
        self._pool.shutdown(wait=True)

    @property
    def owners(self) -> int:
        """How many have something here."""
        return len(self._used)

    @property
    def kept(self) -> int:
        """Bytes, in all."""
        return sum(map(self._size, self._used))

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            async with self._bodies.read(request) as (data, group):
                loop = asyncio.get_running_loop()
                status, answer = await loop.run_in_executor(self._pool, self.answer, data, group)
                return _packed(answer, status)
        except BodyRefused as refused:
            return _packed(Answer(refused.why), refused.status)

    # --------------------------------------------------------------------- in the pool's one thread

    def answer(self, data: bytes, group: str) -> tuple[int, Answer]:
        """HTTP status and answer to a request's bytes that come from an address."""
        try:
            request = Request.parse(data)
            skew = request.at - int(self._clock())
            if abs(skew) > SKEW:
                raise _Refused(f"your clock is {skew} s ahead of this place's")
            self._clean()
            return 200, self._act(request, group)
        except (ValueError, _Refused, BadEntry) as error:
            return 400, Answer(str(error)[:300])
        except PerunError as error:
            return 507, Answer(f"the place's disk fails: {type(error).__name__}")

    def _act(self, request: Request, group: str) -> Answer:
        owner, slot = request.owner, request.slot
        if request.action == "slots":
            moment = int(self._clock())
            return Answer(
                slots=tuple(
                    SlotAnswer(found.slot, found.number, max(0, moment - found.seen))
                    for found in self.shelf.slots(owner)
                )
            )
        if request.action == "read":
            if len(request.content) != 8:
                raise _Refused("8 bytes say after which number")
            after = int.from_bytes(request.content, "big")
            return Answer(entries=tuple(self.shelf.read(owner, slot, after, MOST_READ)))
        if request.action == "put":
            return self._put(owner, slot, Entry.parse(request.content), group)
        self.shelf.touch(owner, slot)
        return self._standing(owner, slot)

    def _standing(self, owner: bytes, slot: bytes, refused: str = "") -> Answer:
        newest = self.shelf.newest(owner, slot)
        return Answer(refused) if newest is None else Answer(refused, newest.number, newest.hash)

    def _put(self, owner: bytes, slot: bytes, entry: Entry, group: str) -> Answer:
        self._require_room(owner, slot, entry, group)
        try:
            standing = self.shelf.put(owner, slot, entry)
        except NotNext as error:
            return self._standing(owner, slot, str(error))
        if owner not in self._group:
            self._group[owner] = group
            # Without it the entry is kept and counted all the same; after a restart it is nobody's.
            with suppress(OSError):
                (self.shelf.folder(owner) / _GROUP).write_text(group, encoding="utf-8")
        used = self._used.setdefault(owner, {})
        size = self._size_of(entry)
        used[slot.hex()] = size if entry.after == 0 else used.get(slot.hex(), 0) + size
        return Answer("", standing.number, standing.hash)

    def _require_room(self, owner: bytes, slot: bytes, entry: Entry, group: str) -> None:
        limits, used = self.limits, self._used.get(owner)
        if len(entry.data) > limits.entry:
            raise _Refused(f"an entry of {len(entry.data)} bytes; the most is {limits.entry}")
        size = self._size_of(entry)
        grows = size if entry.after else max(0, size - (used or {}).get(slot.hex(), 0))
        total = self.kept
        if used is None:
            grows = max(grows, limits.least)
            if total + grows > limits.total // 2:
                raise _Refused("this place takes nobody new: it is half full")
        elif slot.hex() not in used and len(used) >= limits.slots:
            raise _Refused(f"more than {limits.slots} stores of one phrase")
        if total + grows > limits.total:
            raise _Refused("this place is full")
        if self._size(owner) + grows > limits.owner:
            raise _Refused(f"more than {limits.owner} bytes of one phrase")
        home = self._group.get(owner, group)
        of_home = sum(self._size(one) for one, where in self._group.items() if where == home)
        if of_home + grows > limits.address:
            raise _Refused("others from your address have filled what it may have here")

    def _size_of(self, entry: Entry) -> int:
        return max(self.limits.piece, len(entry.data))

    def _size(self, owner: bytes) -> int:
        used = self._used.get(owner)
        return 0 if used is None else max(self.limits.least, sum(used.values()))

    def _clean(self) -> None:
        moment = self._clock()
        if moment - self._cleaned < _DAY:
            return
        self._cleaned = moment
        if self.shelf.forget_unseen(moment - self.limits.keep_days * _DAY):
            self._count()

    def _count(self) -> None:
        piece = self.limits.piece
        self._used = {owner: self.shelf.sizes(owner, piece) for owner in self.shelf.owners()}
        self._group = {owner: self._read_group(owner) for owner in self._used}

    def _read_group(self, owner: bytes) -> str:
        try:
            return (self.shelf.folder(owner) / _GROUP).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""  # damaged: it costs a count of addresses, and must cost no more


def _packed(answer: Answer, status: int = 200) -> web.Response:
    body = msgspec.msgpack.encode(answer)
    return web.Response(
        body=body,
        status=status,
        content_type="application/msgpack",
        # Pages ask, too; who asks is told by a signature alone.
        headers={"Access-Control-Allow-Origin": "*"},
    )
