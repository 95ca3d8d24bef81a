"""A tower that others ask: takes exports, keeps and acknowledges them, and looks at the chain.

What is acknowledged is on disk and checked; it is watched from the next round on, and again after
any restart. What a client showed once is never replaced by something older.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from perun.core.books import Row
from perun.core.state import ChannelView, PeerId
from perun.encoding.addresses import node_id, show_node_id
from perun.errors import ChainFault, Misuse, PeerFault, StoreFault
from perun.node.export import Export, keep_export, parse_export
from perun.node.newer import Heights, fallen, heights
from perun.tower.admission import Admission, NotWatched
from perun.tower.guard import Guard
from perun.tower.requests import MOST_EXPORT, SKEW, TOWER_PATH, Answer, Request
from perun.wire.bodies import Bodies, BodyLimits, BodyRefused

__all__ = ["TowerLimits", "TowerService"]

_ROUND: Final = 1.0
_SUFFIX: Final = ".watch"
_GROUP: Final = ".from"

Told = Callable[[str, Exception], None]


@dataclass(frozen=True, slots=True)
class TowerLimits:
    """What a tower gives away."""

    clients: int = 10_000
    clients_per_address: int = 64


class TowerService:
    """From `start` to `stop`; `add_to` a web application."""

    def __init__(
        self,
        folder: Path,
        guard: Guard,
        admission: Admission,
        address_of: Callable[[web.Request], str],
        is_us: Callable[[str], bool] = lambda _: True,
        *,
        only: frozenset[PeerId] = frozenset(),
        limits: TowerLimits | None = None,
        tell: Told = lambda *_: None,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """Reads what clients have left.

        Args:
            address_of: where a request comes from, as what counts as one address.
            is_us: whether a host is one of our names.
            only: for whom it watches; empty: for whoever comes.
            let_go: called last of all.

        Raises:
            StoreFault: the folder cannot be read.
        """
        self._folder, self._guard, self._admission = folder, guard, admission
        self._is_us, self._only = is_us, only
        self.limits = limits or TowerLimits()
        self._tell, self._let_go = tell, let_go
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._heights: dict[PeerId, Heights] = {}
        self._channels: set[bytes] = set()
        """Ids of all channels that were ever shown; the other heights are of machines."""
        self._group: dict[PeerId, str] = {}
        self._news: deque[tuple[PeerId, Export, tuple[Row, ...]]] = deque()
        for file in sorted(folder.glob(f"*{_SUFFIX}")):
            self._read(file)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="perun-tower-in")
        self._bodies = Bodies(
            BodyLimits(MOST_EXPORT + 1_024, bytes_each_second=MOST_EXPORT), address_of
        )
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="perun-tower", daemon=True)
        self.trouble = ""
        """Why it does not see the chain; empty: it does."""

    def add_to(self, app: web.Application) -> None:
        """Serves at `/tower`."""
        app.router.add_post(TOWER_PATH, self._serve)

    def start(self) -> None:
        """Watches from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is under way."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)
        self._let_go()

    @property
    def clients(self) -> int:
        """For how many it watches."""
        return len(self._heights)

    # ------------------------------------------------------------------------- watching

    def _watch(self) -> None:
        while not self._stopping:
            self.turn()
            self._wake.wait(_ROUND)
            self._wake.clear()

    def turn(self) -> None:
        """Takes over what has come, and looks at the chain once; in one thread."""
        while self._news:
            client, export, rows = self._news.popleft()
            try:
                self._guard.learn(client, export.profile, rows)
            except Exception as error:
                # Of one client; a bug must not keep the others from being watched.
                self._tell(show_node_id(client), error)
                self._guard.forget(client)
        try:
            self._guard.round()
            self.trouble = ""
        except ChainFault as error:
            self._note(error)
        except Exception as error:
            # A tower signs nothing: it goes on, since somebody counts on its next look.
            self._note(error)

    def _note(self, error: Exception) -> None:
        if not self.trouble:
            self._tell("chain", error)
        self.trouble = str(error) or type(error).__name__

    # ------------------------------------------------------------------------- taking

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            async with self._bodies.read(request) as (data, group):
                loop = asyncio.get_running_loop()
                return _packed(*await loop.run_in_executor(self._pool, self.answer, data, group))
        except BodyRefused as refused:
            return _packed(refused.status, Answer(refused.why))

    def answer(self, data: bytes, group: str) -> tuple[int, Answer]:
        """HTTP status and answer to a request's bytes that come from an address."""
        try:
            request = Request.parse(data)
            skew = request.at - int(time.time())
            if abs(skew) > SKEW:
                raise NotWatched(f"your clock is {skew} s ahead of this tower's")
            if not self._is_us(request.host):
                raise NotWatched("it is meant for another host")
            if request.content:
                self._take(request.peer, request.content, group)
            return 200, self._answer(request.peer)
        except (ValueError, PeerFault, Misuse) as error:
            return 400, Answer(str(error)[:300])
        except StoreFault as error:
            return 507, Answer(f"the tower cannot keep it: {str(error)[:200]}")

    def _answer(self, client: PeerId) -> Answer:
        # What is on disk, and not watched because of a fault of ours, is not acknowledged.
        watched = {} if client in self._guard.forgotten else self._heights.get(client, {})
        return Answer("", tuple(sorted(watched.items())), self._guard.sees)

    def _take(self, client: PeerId, content: bytes, group: str) -> None:
        """Checks, keeps, then has it watched."""
        if self._only and client not in self._only:
            raise NotWatched("this tower watches for those only whom its operator has named")
        self._require_room(client, group)
        export = parse_export(Path(show_node_id(client)), content)
        rows = self._admission.admit(client, export)
        new = heights(rows)
        self._require_newer(self._heights.get(client, {}), new, rows)
        self._keep(client, content, group)
        self._remember(client, rows)
        self._news.append((client, export, rows))
        self._wake.set()

    def _require_newer(self, had: Heights, new: Heights, rows: tuple[Row, ...]) -> None:
        """Nothing that was shown once is forgotten for an older export: by a restored client, a
        second device, or whoever has its key."""
        id = fallen(had, rows, lambda id: id in self._channels and not self._guard.has_ended(id))
        if id is not None:
            what = f"{new[id]} there" if id in new else "nothing there"
            raise NotWatched(f"0x{id.hex()[:12]}… is at {had[id]} here, and {what}")

    def _require_room(self, client: PeerId, group: str) -> None:
        if client in self._heights:
            return
        if len(self._heights) >= self.limits.clients:
            raise NotWatched("this tower has no room")
        same = sum(where == group for where in self._group.values())
        if same >= self.limits.clients_per_address:
            raise NotWatched("too many clients from your address")

    def _remember(self, client: PeerId, rows: tuple[Row, ...]) -> None:
        self._heights[client] = heights(rows)
        self._channels.update(row.id for row in rows if isinstance(row, ChannelView))

    # ------------------------------------------------------------------------- on disk

    def _keep(self, client: PeerId, content: bytes, group: str) -> None:
        name = show_node_id(client)
        if client not in self._group:
            self._group[client] = group
            with suppress(OSError):
                (self._folder / f"{name}{_GROUP}").write_text(group, encoding="utf-8")
        keep_export(self._folder / f"{name}{_SUFFIX}", content)

    def _read(self, file: Path) -> None:
        """A client's from an earlier run; what cannot be read is told, and left where it is."""
        try:
            client = node_id(file.name.removesuffix(_SUFFIX))
            export = parse_export(file, file.read_bytes())
            rows = self._admission.admit(client, export)
        except (OSError, PeerFault, Misuse, StoreFault) as error:
            self._tell(file.name, error)
            return
        self._remember(client, rows)
        self._group[client] = _written(file.with_name(file.name.removesuffix(_SUFFIX) + _GROUP))
        self._news.append((client, export, rows))


def _written(file: Path) -> str:
    """What stands there; a damaged file costs a count of addresses, and must cost no more."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _packed(status: int, answer: Answer) -> web.Response:
    body = msgspec.msgpack.encode(answer)
    return web.Response(
        body=body,
        status=status,
        content_type="application/msgpack",
        # Pages ask, too; who asks is told by a signature alone.
        headers={"Access-Control-Allow-Origin": "*"},
    )
