"""Links without nodes: what a wallet's link is to a gateway, with nothing behind it.

They are dialled as a node dials (`perun.wire.dialer`), from as many addresses of this machine as a
door wants, in processes of their own. Pairs of them send each other what a payment and its answer
are long; the others say nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final

import aiohttp

from perun.crypto import SecretKey, keccak
from perun.node.settings import peer_id
from perun.serving import room_for_files
from perun.wire.dialer import Dialer
from perun.wire.packets import Kind, Packet
from perun.wire.web_sockets import WebSockets

__all__ = ["PAID_BYTES", "PAY_BYTES", "Dialled", "Plan", "clients"]

PAY_BYTES: Final = 151
PAID_BYTES: Final = 84
"""A box with one `Pay`, and one with one `Paid`."""
PER_ADDRESS: Final = 400
"""Fewer than a door lets in from one."""
_AT_ONCE: Final = 48
_PATIENCE: Final = 60.0
_TCP_BYTES, _TCP_SEGMENTS = (120, "=QQ"), (136, "=II")
"""Where `struct tcp_info` of Linux has bytes and segments that were sent and received."""
_HEADERS: Final = 52
"""Bytes of a segment before its content: IPv4, and TCP with time stamps."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process dials."""

    hosts: tuple[str, ...]
    first: int
    """Number of its first link: no two processes have the same."""
    count: int
    crossing: bool = False
    """Whether both of a pair are at different hosts; else the hosts are dealt out in turn, so that
    of N hosts one in N pairs is at one."""


class From(WebSockets):
    """Dials from one address of 127.0.0.0/8."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    async def open(self) -> None:
        """See `Sockets`."""
        connector = aiohttp.TCPConnector(limit=0, local_addr=(self._address, 0))
        self._client = aiohttp.ClientSession(connector=connector)


@dataclass(slots=True, eq=False)
class Dialled:
    """One link; `perun.wire.dialer.LinkEvents`."""

    number: int
    host: str
    key: SecretKey = field(init=False)
    dialer: Dialer = field(init=False)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    losses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = SecretKey(keccak(b"benchmark link" + self.number.to_bytes(4, "big")))

    @property
    def peer(self) -> bytes:
        """Under which it is attached."""
        return peer_id(self.key.public_key)

    def link_up(self, _: Dialer) -> None:
        self.up.set()

    def link_down(self, _: Dialer, code: int, reason: str, __: bool) -> None:
        self.losses.append(f"{code} {reason}")

    def link_packet(self, _: Dialer, data: bytes) -> None:
        self.came.put_nowait(data)


class _Many:
    """All links of one process."""

    def __init__(self, plan: Plan) -> None:
        hosts, self.links = plan.hosts, list[Dialled]()
        for place in range(plan.count):
            pair, payee = divmod(place, 2)
            # Digits of the pair's number in base N: all combinations of hosts come equally often.
            here = pair % len(hosts)
            if payee:
                here = here + 1 if plan.crossing else pair // len(hosts)
            self.links.append(Dialled(plan.first + place, hosts[here % len(hosts)]))
        self._sockets: dict[str, From] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def attach(self) -> None:
        """All of them, a few at a time."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(link: Dialled) -> None:
            address = f"127.0.1.{1 + link.number // PER_ADDRESS}"
            if address not in self._sockets:
                self._sockets[address] = From(address)
                await self._sockets[address].open()
            link.dialer = Dialer(link.host, link.key, link.peer, link, self._sockets[address])
            async with turns:
                self._tasks.append(asyncio.create_task(link.dialer.run()))
                async with asyncio.timeout(_PATIENCE):
                    await link.up.wait()

        await asyncio.gather(*(one(link) for link in self.links))

    async def close(self) -> None:
        """Hangs up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sockets in self._sockets.values():
            await sockets.close()

    async def pay(self, pairs: int, seconds: float, rest: float) -> list[float]:
        """So many pairs, each with one under way and a rest after it; seconds that each took."""
        end, couples = time.monotonic() + seconds, zip(self.links[::2], self.links[1::2])  # noqa: B905
        paying = [_pay(a, b, end, rest) for (a, b), _ in zip(couples, range(pairs))]  # noqa: B905
        return [one for some in await asyncio.gather(*paying) for one in some]

    def losses(self) -> list[str]:
        """Why links were lost, if any was."""
        return [why for link in self.links for why in link.losses]


async def _pay(payer: Dialled, payee: Dialled, end: float, rest: float) -> list[float]:
    a, b, took = payer.peer, payee.peer, list[float]()
    pay = Packet(a, b, Kind.BOX, bytes(8), bytes(PAY_BYTES)).encode()
    paid = Packet(b, a, Kind.BOX, bytes(8), bytes(PAID_BYTES)).encode()
    while (begun := time.monotonic()) < end:
        payer.dialer.send(pay)
        async with asyncio.timeout(_PATIENCE):
            _check(await payee.came.get())
            payee.dialer.send(paid)
            _check(await payer.came.get())
        took.append(time.monotonic() - begun)
        if rest:
            await asyncio.sleep(rest)
    return took


def _check(data: bytes) -> None:
    if data[67] != Kind.BOX:
        raise AssertionError("a packet was not delivered")


def _on_the_line() -> int:
    """Bytes of all TCP connections of this process so far, both ways, headers and all."""
    total = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            line = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # A file of another kind, or the listing itself.
        with line:
            if line.family != socket.AF_INET or line.type != socket.SOCK_STREAM:
                continue
            info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            total += sum(struct.unpack_from(_TCP_BYTES[1], info, _TCP_BYTES[0]))
            segments = struct.unpack_from(_TCP_SEGMENTS[1], info, _TCP_SEGMENTS[0])
            total += _HEADERS * sum(segments)
    return total


def clients(pipe: Connection, plan: Plan) -> None:
    """A process's work: attach, then answer (`pay`, pairs, seconds, rest) and `bytes`."""
    room_for_files(plan.count)

    async def live() -> None:
        many = _Many(plan)
        await many.attach()
        pipe.send(None)
        while True:
            question: Any = await asyncio.to_thread(pipe.recv)
            if question == "bytes":
                pipe.send(_on_the_line())
            elif question == "losses":
                pipe.send(many.losses())
            elif question == "end":
                await many.close()
                pipe.send(None)
                return
            else:
                _, *how = question
                pipe.send(await many.pay(*how))

    asyncio.run(live())
