"""The wire of a node in the one event loop that a worker has; nobody can dial a page."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.ports import Member
from perun.wire.exchange import Exchange, News
from perun.wire.parcels import Hello
from perun.wire.sessions import Admits
from perun.wire.sockets import Sockets

__all__ = ["PageWire"]


class PageWire:
    """A `perun.ports.Network` that one node joins, and its `Wire`."""

    def __init__(
        self,
        key: SecretKey,
        hello: Hello,
        sockets: Sockets,
        *,
        admits: Admits,
        report: Callable[[News], None],
    ) -> None:
        """Opens nothing yet; arguments as those of `Exchange`."""
        self._key, self._hello, self._sockets = key, hello, sockets
        self._admits, self._report = admits, report
        self._out: deque[tuple[PeerId, Sequence[bytes], PeerId]] = deque()
        self._told = False
        self._exchange: Exchange | None = None

    def enter(self, member: Member) -> PageWire:
        """See `perun.ports.Network`; nothing is dialled before `open`."""
        self._exchange = Exchange(
            self._key,
            self._hello,
            member,
            self._sockets,
            admits=self._admits,
            report=self._report,
        )
        return self

    async def open(self) -> None:
        """Begins to dial."""
        await self._joined.open()

    async def close(self) -> None:
        """Tells all peers that we leave."""
        self._send_all()
        await self._joined.close()

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """See `perun.ports.Wire`."""
        self._out.append((peer, frames, via))
        if not self._told:
            self._told = True
            # Once for everything that a turn has to say.
            asyncio.get_running_loop().call_soon(self._send_all)

    def reach(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        """A host where a peer may be: we attach there and call it; `stay`: whenever it is lost."""
        self._joined.reach(peer, host, token, stay=stay)

    def peers(self) -> list[PeerId]:
        """With whom a session is open."""
        return self._joined.sessions.peers()

    @property
    def _joined(self) -> Exchange:
        assert self._exchange is not None
        return self._exchange

    def _send_all(self) -> None:
        self._told = False
        together: dict[tuple[PeerId, PeerId], list[bytes]] = {}
        while self._out:
            peer, frames, via = self._out.popleft()
            together.setdefault((peer, via), []).extend(frames)
        for (peer, via), frames in together.items():
            self._joined.send(peer, frames, via)
