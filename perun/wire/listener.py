"""A listener: links that others dial, a relay between them, the card, and pages that others add.

    listener = Listener("0.0.0.0", 7070, hosts={"hub.example.org"}, card=lambda: text)
    listener.app.router.add_post("/faucet", …)
    await listener.start()

It holds no key. All of it runs in the loop in which it was started. A link is closed with a code
and a reason (`perun.wire.codes`); one that sends faster than it may is read more slowly.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler

from perun.core.state import PeerId
from perun.crypto import PublicKey, verify_with
from perun.encoding.addresses import parse_host
from perun.encoding.wire_data import attach_digest
from perun.errors import BadKey
from perun.serving import room_for_files, runner
from perun.types import Signature
from perun.wire import packets
from perun.wire.buckets import Bucket
from perun.wire.codes import Code
from perun.wire.door import Door, DoorLimits, Seat
from perun.wire.mesh import Mesh
from perun.wire.packets import MAX_PACKET_BYTES, PROTOCOL, Attach, MalformedPacket
from perun.wire.relay import End, Relay

__all__ = ["CARD_PATH", "Listener", "WIRE_PATH"]

WIRE_PATH: Final = "/wire"
CARD_PATH: Final = "/.well-known/perun.json"
_SWEEP_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 2.0
_BACKLOG: Final = 1_024
_UNLIMITED: Final = 2**62
_MOST_FAR: Final = 100_000


class Listener:
    """Serves on one address until it is stopped."""

    def __init__(
        self,
        bind: str,
        port: int,
        *,
        hosts: Iterable[str] = (),
        card: Callable[[], str | None] | None = None,
        tls: ssl.SSLContext | None = None,
        passes: Callable[[PeerId, PeerId], bool] = lambda _sender, _to: True,
        limits: DoorLimits | None = None,
        proxied: bool = False,
        mesh: Mesh | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            port: 0 takes a free one; `port` says which after `start`.
            hosts: how it is called by those who dial, as `host[:port]`; `127.0.0.1`, `localhost`
                and `bind` with its port are understood anyway.
            card: text of the signed card, asked for at each request; None: there is none now.
            tls: without it, serve on 127.0.0.1 or behind something that has it.
            passes: see `Relay`.
            proxied: whether a proxy of ours stands in front: it says in `X-Forwarded-For` who
                comes, and whoever reaches us without it could say anything.
            mesh: joins our relay with those of other processes.

        Raises:
            BadHost: one of `hosts` is none.
        """
        self.bind = bind
        self.port = port
        self.relay = Relay(passes, self._has_room)
        self.limits = limits or DoorLimits()
        if proxied:
            # All come from the proxy until they have said what they want.
            self.limits = replace(self.limits, new_per_address=self.limits.new)
        self._proxied = proxied
        self.door = Door(self.limits)
        self.app = web.Application(middlewares=[self._count])
        self.app.router.add_get(WIRE_PATH, self._serve_link)
        self.app.router.add_get(CARD_PATH, self._serve_card)
        self._card = card
        self._mesh = mesh
        if mesh is not None:
            self.relay.beyond = mesh.send
            self.relay.moved = self._moved
        self._tls = tls
        self._hosts = {parse_host(host) for host in hosts}
        self._visitors: dict[Any, _Connection] = {}
        self._far: dict[PeerId, str] = {}
        """Addresses, as gateways say, of those who have last spoken to a node of this process."""
        self._socket: socket.socket | None = None
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def host(self) -> str:
        """How this machine dials it."""
        name = "127.0.0.1" if self.bind in ("0.0.0.0", "::", "") else self.bind  # noqa: S104
        return parse_host(f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}")

    def is_called(self, host: str) -> bool:
        """Whether those who dial may call it so."""
        return host in self._hosts

    def address_of(self, peer: PeerId) -> str:
        """The network address that a peer's link comes from, as the door counts them; empty: it
        has none here. Any thread may ask."""
        end = self.relay.end_of(peer)
        if isinstance(end, _Connection) and end.seat is not None:
            return end.seat.group
        return self._far.get(peer, "")

    def address_of_request(self, request: web.Request) -> str:
        """… and that of a request for a page."""
        visitor = self._visitor(request)
        return "" if visitor is None or visitor.seat is None else visitor.seat.group

    def _has_room(self, sender: PeerId, end: End, size: int) -> bool:
        """Whether a packet may wait for a link. Where half of what may wait there does already,
        those of one address add a quarter, and so much a second: whoever sends more than a link
        takes is told, and neither that link nor others who send to it pay for it."""
        if sender not in self.relay:
            return True
        return self._has_room_for(self.address_of(sender), end, size)

    def _has_room_for(self, group: str, end: End, size: int) -> bool:
        if not isinstance(end, _Connection):
            return True
        limit, queued = self.limits.queued_per_link, end.queued()
        if not group or 2 * queued <= limit:
            end.crowd.clear()
            return True
        bucket = end.crowd.setdefault(group, Bucket(limit / 4, now=_now()))
        return queued + size <= limit and bucket.take(size, _now())

    # ------------------------------------------------------------------------- for a mesh

    def _moved(self, peer: PeerId, here: bool) -> None:
        assert self._mesh is not None
        if here:
            self._mesh.attached(peer)
        else:
            self._mesh.detached(peer)

    def deliver(self, data: bytes, group: str) -> bool:
        """See `perun.wire.mesh.Ends`."""
        end = self.relay.end_of(data[34:67])
        if end is None or not self.relay.passes(data[1:34], data[34:67]):
            return False
        if not self._has_room_for(group, end, len(data)):
            return False
        if not isinstance(end, _Connection):
            sender = data[1:34]
            self._far.pop(sender, None)
            self._far[sender] = group
            if len(self._far) > _MOST_FAR:
                del self._far[next(iter(self._far))]
        self.relay.passed += 1
        end.take(data)
        return True

    def bounce(self, sender: PeerId, receiver: PeerId, tag: bytes) -> None:
        """See `perun.wire.mesh.Ends`."""
        self.relay.bounce(sender, receiver, tag)

    def displace(self, peer: PeerId) -> None:
        """See `perun.wire.mesh.Ends`. Only links: nobody in the mesh makes a hub leave its own."""
        end = self.relay.end_of(peer)
        if isinstance(end, _Connection):
            end.leave(Code.DISPLACED, "the same id has come by a newer link")

    def group_of(self, peer: PeerId) -> str:
        """See `perun.wire.mesh.Ends`."""
        return self.address_of(peer)

    # ------------------------------------------------------------------------- life

    async def start(self) -> None:
        """Listens.

        Raises:
            OSError: the address is taken, or not ours.
        """
        room_for_files(self.limits.links + self.limits.new)
        found = socket.getaddrinfo(self.bind, self.port, type=socket.SOCK_STREAM)[0]
        self._socket = socket.socket(found[0], socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setblocking(False)
        try:
            self._socket.bind(found[4])
            self._socket.listen(_BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self.port = self._socket.getsockname()[1]
        names = (f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"[::1]:{self.port}")
        self._hosts.update(parse_host(name) for name in names)
        self._hosts.add(self.host)
        self._runner = runner(self.app, keepalive_timeout=15)
        await self._runner.setup()
        self._own(self._accept())
        self._own(self._sweep())
        if self._mesh is not None:
            await self._mesh.start(self)

    async def stop(self) -> None:
        """Closes all links, tells them, and listens no more."""
        for task in list(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.close()
        for visitor in list(self._visitors.values()):
            visitor.leave(Code.GOING, "the listener stops")
        if self._runner is not None:
            await self._runner.cleanup()
        if self._mesh is not None:
            await self._mesh.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------------- connections

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._socket is not None
        while True:
            try:
                connection, address = await loop.sock_accept(self._socket)
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    continue  # Whoever it was has gone already.
                # No room for another file: those who are late make some.
                await asyncio.sleep(_SWEEP_SECONDS)
                continue
            self._own(self._welcome(connection, address))

    async def _welcome(self, connection: socket.socket, address: Any) -> None:
        visitor = _Connection(self.limits, self.relay)
        visitor.seat = self.door.arrive(visitor, address[0], _now())
        if visitor.leaving:
            connection.close()
            return
        self._visitors[address[:2]] = visitor
        assert self._runner is not None
        assert self._runner.server is not None
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = None if self._tls is None else self.limits.seconds
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self._runner.server,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=secure,
            )
        except (OSError, ssl.SSLError):
            connection.close()
            self._gone(address[:2], visitor)
            return
        visitor.stands(transport)

    async def _sweep(self) -> None:
        """Looks after everybody once a second."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.door.sweep(_now())
            queued = 0
            for address, visitor in list(self._visitors.items()):
                if visitor.is_gone():
                    self._gone(address, visitor)
                else:
                    queued += visitor.queued()
            if queued > self.limits.queued:
                most = max(self._visitors.values(), key=_Connection.queued)
                most.leave(Code.SLOW, f"{most.queued()} bytes wait for you, most of all")

    def _gone(self, address: Any, visitor: _Connection) -> None:
        if self._visitors.get(address) is visitor:
            del self._visitors[address]
        if visitor.seat is not None:
            self.door.leave(visitor.seat)

    # ------------------------------------------------------------------------- pages

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pages are served to as many of one address as may have links."""
        visitor = self._visitor(request)
        if visitor is not None and visitor.seat is not None and self._proxied:
            # The last one is what our proxy has added; those before it anybody may have written.
            named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            if named:
                self.door.rename(visitor.seat, named)
        if visitor is None or request.path == WIRE_PATH:
            return await handler(request)
        seat = visitor.seat
        assert seat is not None
        refused = self.door.attach(seat)
        if refused is not None:
            return web.json_response(
                {"error": refused[0].name.lower(), "reason": refused[1]},
                status=503,
                headers={"Connection": "close", "Retry-After": "10"},
            )
        try:
            return await handler(request)
        finally:
            self.door.renew(seat, _now())

    def _visitor(self, request: web.Request) -> _Connection | None:
        transport = request.transport
        address = None if transport is None else transport.get_extra_info("peername")
        return None if address is None else self._visitors.get(address[:2])

    async def _serve_card(self, _: web.Request) -> web.Response:
        text = self._card() if self._card is not None else None
        if text is None:
            raise web.HTTPNotFound(text="this host has no card")
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
        return web.Response(text=text, content_type="application/json", headers=headers)

    # ------------------------------------------------------------------------- links

    async def _serve_link(self, request: web.Request) -> web.StreamResponse:
        if PROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            return web.Response(status=426, text=f"a WebSocket with subprotocol {PROTOCOL} is here")
        visitor = self._visitor(request)
        socket = web.WebSocketResponse(
            protocols=(PROTOCOL,),
            compress=False,
            max_msg_size=MAX_PACKET_BYTES + 1,
            heartbeat=self.limits.ping_seconds,
            timeout=_FAREWELL_SECONDS,
            # `take` counts what waits by itself, and must never wait.
            writer_limit=_UNLIMITED,
        )
        if visitor is None:
            raise web.HTTPServiceUnavailable(text="the connection was turned away")
        await socket.prepare(request)
        visitor.speaks(socket)
        try:
            peer = await self._attach(socket, visitor)
            await self._listen(socket, visitor, peer)
        except _Refused as refused:
            visitor.leave(refused.code, refused.reason)
        except ConnectionError:
            visitor.leave(Code.GOING, "the connection broke")
        await visitor.gone()
        return socket

    async def _attach(self, socket: web.WebSocketResponse, visitor: _Connection) -> PeerId:
        random = secrets.token_bytes(packets.CHALLENGE_BYTES)
        await socket.send_bytes(packets.challenge(random))
        try:
            attach = packets.read_attach(await _receive(socket))
        except MalformedPacket as error:
            raise _Refused(Code.MALFORMED, error.reason) from None
        self._check(attach, random)
        assert visitor.seat is not None
        refused = self.door.attach(visitor.seat)
        if refused is not None:
            raise _Refused(*refused)
        visitor.peer = attach.peer
        self.relay.attach(attach.peer, visitor)
        await socket.send_bytes(packets.attached(attach.peer))
        return attach.peer

    def _check(self, attach: Attach, random: bytes) -> None:
        if attach.host not in self._hosts:
            raise _Refused(Code.REFUSED, f"this is {', '.join(sorted(self._hosts))[:90]}")
        try:
            key = PublicKey(attach.peer)
        except BadKey:
            raise _Refused(Code.REFUSED, "the id is no public key") from None
        if not verify_with(attach_digest(attach.host, random), Signature(attach.signature), key):
            raise _Refused(Code.REFUSED, "the signature is not by that id over this challenge")

    async def _listen(
        self, socket: web.WebSocketResponse, visitor: _Connection, peer: PeerId
    ) -> None:
        now = _now()
        messages = Bucket(self.limits.messages_each_second, now=now)
        volume = Bucket(self.limits.bytes_each_second, now=now)
        carry = self.relay.carry
        try:
            while not visitor.leaving:
                data = await _receive(socket)
                now = _now()
                wait = max(messages.owe(1, now), volume.owe(len(data), now))
                if wait:
                    await asyncio.sleep(wait)
                try:
                    carry(peer, data)
                except MalformedPacket as error:
                    raise _Refused(Code.MALFORMED, error.reason) from None
        finally:
            self.relay.detach(peer, visitor)


class _Refused(Exception):
    """The link ends, with this code and reason."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def _receive(socket: web.WebSocketResponse) -> bytes:
    message = await socket.receive()
    if message.type is WSMsgType.BINARY:
        data: bytes = message.data
        return data
    if message.type is WSMsgType.TEXT:
        raise _Refused(Code.MALFORMED, "text: packets are binary")
    raise ConnectionResetError


class _Connection:
    """One connection: a visitor of the door, and an end of the relay once it is attached."""

    __slots__ = (
        *("_farewell", "_limit", "_relay", "_socket", "_transport"),
        *("crowd", "leaving", "peer", "seat"),
    )

    def __init__(self, limits: DoorLimits, relay: Relay) -> None:
        self._limit = limits.queued_per_link
        self._relay = relay
        self._transport: asyncio.Transport | None = None
        self._socket: web.WebSocketResponse | None = None
        self._farewell: asyncio.Task[None] | None = None
        self.seat: Seat | None = None
        self.peer: PeerId = b""
        self.leaving = False
        self.crowd: dict[str, Bucket] = {}
        """How much of each address may still be added while much waits for it."""

    def stands(self, transport: asyncio.Transport) -> None:
        """TCP, and TLS if there is any, are done."""
        self._transport = transport
        if self.leaving:
            transport.abort()

    def speaks(self, socket: web.WebSocketResponse) -> None:
        """It is a WebSocket now."""
        self._socket = socket

    def is_gone(self) -> bool:
        """Whether nothing is left of it."""
        return self._transport is not None and self._transport.is_closing()

    def queued(self) -> int:
        """Bytes that wait for it to take them."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def take(self, data: bytes) -> None:
        """See `perun.wire.relay.End`."""
        if self.leaving or self._socket is None:
            return
        waiting = self.queued()
        if waiting > self._limit:
            self.leave(Code.SLOW, f"{waiting} bytes wait for you")
            return
        # Without compression and with no limit of its own this never waits.
        with suppress(StopIteration, ConnectionError):
            self._socket.send_bytes(data).send(None)

    def leave(self, code: Code, reason: str) -> None:
        """Must go: a link hears why, whatever it does with it."""
        if self.leaving:
            return
        self.leaving = True
        # At once: who sends to it is told, and does not wait for its farewell.
        self._relay.detach(self.peer, self)
        if self._socket is not None:
            talk = self._say_farewell(self._socket, code, reason)
            self._farewell = asyncio.get_running_loop().create_task(talk)
        elif self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Until everything is said."""
        if self._farewell is not None:
            await self._farewell

    async def _say_farewell(self, socket: web.WebSocketResponse, code: Code, reason: str) -> None:
        """Says why, and waits a moment for the other side to have heard."""
        with suppress(asyncio.TimeoutError, ConnectionError, RuntimeError):
            said = reason.encode()[:120]
            await asyncio.wait_for(socket.close(code=code, message=said), _FAREWELL_SECONDS)
        if self._transport is not None:
            self._transport.abort()


def _now() -> float:
    return asyncio.get_running_loop().time()
