"""Joins the relays of several processes by NATS: an end of one is reached from all.

    perun.to.<id>              packets for a node, where it is attached
    perun.no.<gateway>.…       what could not be delivered, back to the gateway of its sender
    perun.newest               a node has attached: a link that it has elsewhere is the older one
    perun.card, perun.card.ask the hub's card, for gateways to serve

What passes here is what a link carries: sessions are between the ends, so whoever is in the mesh
can drop and delay, and neither read nor speak for anybody. No key is here. Packets of one link for
one node keep their order. Without NATS the ends of this process reach each other still.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from perun.core.state import PeerId
from perun.wire.packets import HEADER_BYTES, MAX_PACKET_BYTES, Kind

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

__all__ = ["Ends", "Mesh", "MeshDown", "MeshUp", "Server"]

_TO: Final = "perun.to."
_NO: Final = "perun.no."
_NEWEST: Final = "perun.newest"
_CARD: Final = "perun.card"
_ASK: Final = "perun.card.ask"
_MOST_QUEUED: Final = 64 * 1024 * 1024
"""Bytes that wait to be handed to NATS: more are undelivered, as on a link that is too slow."""
_AGAIN_SECONDS: Final = 0.5
_CARD_SECONDS: Final = 30.0
"""A gateway asks for the hub's card so often."""
_MOST_GROUP: Final = 64
_ID: Final = 33


class MeshUp(NamedTuple):
    """NATS has been reached."""

    server: str


class MeshDown(NamedTuple):
    """NATS is lost, or was not reached; it is tried again."""

    server: str
    reason: str


@dataclass(frozen=True, slots=True)
class Server:
    """Which NATS server, and who we are there."""

    url: str
    """`nats://host:port` or `tls://…`; several with commas between."""
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the password: logs and tracebacks show what they are given."""
        return f"Server({self.url!r}, {self.user!r})"


class Ends(Protocol):
    """The relay of this process, as far as the mesh needs it; a `Listener` is one."""

    def deliver(self, data: bytes, group: str) -> bool:
        """A packet from elsewhere, of a sender whose link comes from that network address; False:
        it was not delivered."""

    def bounce(self, sender: PeerId, receiver: PeerId, tag: bytes) -> None:
        """Tells an end here that a packet of its was not delivered."""

    def displace(self, peer: PeerId) -> None:
        """A link of a node has been followed by a newer one elsewhere."""

    def group_of(self, peer: PeerId) -> str:
        """The network address that an end's link comes from."""


class _Wish(NamedTuple):
    """What is to be handed to NATS, in this order."""

    what: str
    """`to`, `no`, `ask`, `come`, `go`."""
    peer: PeerId
    data: bytes = b""
    subject: str = ""


class Mesh:
    """One process's part of it, from `start` to `stop`, in one event loop."""

    def __init__(
        self,
        server: Server,
        *,
        card: Callable[[], str | None] | None = None,
        report: Callable[[MeshUp | MeshDown], None] = lambda _: None,
    ) -> None:
        """Connects to nothing yet.

        Args:
            card: of the hub that this is; None: this is a gateway, which takes the hub's.
        """
        self.id = secrets.token_hex(8)
        self.passed = 0
        """Packets handed to others; for metrics."""
        self.card_text: str | None = None
        """The hub's card as it was last told here: whoever reads it checks its signature."""
        self._server, self._own_card, self._report = server, card, report
        self._ends: Ends | None = None
        self._client: Client | None = None
        self._up = False
        self._wishes: deque[_Wish] = deque()
        self._queued = 0
        self._more = asyncio.Event()
        self._attached: set[PeerId] = set()
        self._subscribed: dict[PeerId, Subscription] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def up(self) -> bool:
        """Whether NATS is reached."""
        return self._up

    async def start(self, ends: Ends) -> None:
        """Connects in the background, for as long as it takes."""
        self._ends = ends
        self._tasks = [asyncio.create_task(self._live())]
        if self._own_card is None:
            self._tasks.append(asyncio.create_task(self._look_at_card()))

    async def stop(self) -> None:
        """Is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            with suppress(Exception):
                await self._client.close()

    # ------------------------------------------------------------------------- from the relay

    def attached(self, peer: PeerId) -> None:
        """Packets for this node come here from now on."""
        self._attached.add(peer)
        self._wish(_Wish("come", peer))

    def detached(self, peer: PeerId) -> None:
        """… and no longer."""
        self._attached.discard(peer)
        self._wish(_Wish("go", peer))

    def send(self, sender: PeerId, receiver: PeerId, data: bytes) -> bool:
        """A packet for a node that is not attached here; False: it will not arrive."""
        if not self._up or self._queued > _MOST_QUEUED:
            return False
        assert self._ends is not None
        group = self._ends.group_of(sender).encode()[:_MOST_GROUP]
        back = ""
        if data[67] != Kind.UNDELIVERED:
            back = f"{_NO}{self.id}.{sender.hex()}.{receiver.hex()}.{data[68:76].hex()}"
        self._wish(_Wish("to", receiver, bytes((len(group),)) + group + data, back))
        self.passed += 1
        return True

    def _wish(self, wish: _Wish) -> None:
        self._wishes.append(wish)
        self._queued += len(wish.data)
        self._more.set()

    # ------------------------------------------------------------------------- with NATS

    async def _live(self) -> None:
        while not await self._connect():
            await asyncio.sleep(_AGAIN_SECONDS)
        while True:
            while self._wishes:
                wish = self._wishes.popleft()
                self._queued -= len(wish.data)
                try:
                    await self._carry_out(wish)
                except Exception as error:
                    # A packet is lost; subscriptions are made anew when NATS is back.
                    self._went_down(str(error) or type(error).__name__)
            self._more.clear()
            await self._more.wait()

    async def _connect(self) -> bool:
        import nats

        server, given = self._server, {}
        if server.user:
            given = {"user": server.user, "password": server.password}
        try:
            self._client = await nats.connect(
                [one.strip() for one in server.url.split(",")],
                name=f"perun {self.id}",
                error_cb=self._on_error,
                disconnected_cb=self._on_down,
                reconnected_cb=self._on_up,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                ping_interval=10,
                **given,
            )
            await self._client.subscribe(f"{_NO}{self.id}.>", cb=self._on_undelivered)
            await self._client.subscribe(_NEWEST, cb=self._on_newest)
            if self._own_card is None:
                await self._client.subscribe(_CARD, cb=self._on_card)
            else:
                await self._client.subscribe(_ASK, cb=self._on_ask)
                await self._on_ask(None)
        except Exception as error:
            self._went_down(str(error) or type(error).__name__)
            if self._client is not None:
                with suppress(Exception):
                    await self._client.close()
                self._client = None
            return False
        await self._on_up()
        return True

    async def _carry_out(self, wish: _Wish) -> None:
        client = self._client
        assert client is not None
        if wish.what == "to":
            await client.publish(_TO + wish.peer.hex(), wish.data, wish.subject)
        elif wish.what in ("no", "ask"):
            await client.publish(wish.subject)
        elif wish.what == "come":
            if wish.peer in self._attached:
                if wish.peer not in self._subscribed:
                    self._subscribed[wish.peer] = await client.subscribe(
                        _TO + wish.peer.hex(), cb=self._on_packet
                    )
                await client.publish(_NEWEST, self.id.encode() + wish.peer)
        elif wish.peer not in self._attached:
            gone = self._subscribed.pop(wish.peer, None)
            if gone is not None:
                await gone.unsubscribe()

    def _went_down(self, reason: str) -> None:
        self._up = False
        self._report(MeshDown(self._server.url, reason))

    async def _on_up(self) -> None:
        self._up = True
        self._report(MeshUp(self._server.url))
        if self._own_card is None:
            self._wish(_Wish("ask", b"", subject=_ASK))

    async def _look_at_card(self) -> None:
        while True:
            await asyncio.sleep(_CARD_SECONDS)
            if self._up:
                self._wish(_Wish("ask", b"", subject=_ASK))

    async def _on_down(self) -> None:
        self._went_down("the connection is lost")

    async def _on_error(self, error: Exception) -> None:
        """Retried by the client; what matters is told as being down."""

    async def _on_packet(self, message: Msg) -> None:
        data = message.data
        assert self._ends is not None
        size = data[0] if data else 0
        group, packet = data[1 : 1 + size].decode(errors="replace"), data[1 + size :]
        if not HEADER_BYTES <= len(packet) <= MAX_PACKET_BYTES or packet[0]:
            return
        if not self._ends.deliver(packet, group) and message.reply:
            self._wish(_Wish("no", b"", subject=message.reply))

    async def _on_undelivered(self, message: Msg) -> None:
        """Said by another gateway, or by NATS itself where nobody listens for the node."""
        parts = message.subject.split(".")
        try:
            sender, receiver, tag = (bytes.fromhex(part) for part in parts[3:])
        except ValueError:
            return
        if (len(sender), len(receiver), len(tag)) == (_ID, _ID, 8) and self._ends is not None:
            self._ends.bounce(sender, receiver, tag)

    async def _on_newest(self, message: Msg) -> None:
        gateway, peer = message.data[:16], message.data[16:]
        if gateway != self.id.encode() and peer in self._attached and self._ends is not None:
            self._ends.displace(peer)

    async def _on_card(self, message: Msg) -> None:
        self.card_text = message.data.decode(errors="replace")

    async def _on_ask(self, _: Any) -> None:
        text = None if self._own_card is None else self._own_card()
        if text is not None and self._client is not None:
            await self._client.publish(_CARD, text.encode())
