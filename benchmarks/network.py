"""Payments between processes over real sockets: direct, and over a relay that is a third process.

The program above pays: each payment has its key, its note and its rows on both sides, and is over
when the payee has said that it knows what it was for. All of them are in one machine. The payer's
process measures; channel and stores were made before. Then the relay alone: what it holds for a
client that is attached and does nothing, and what passing a payment on costs it if 500 pairs have
one each under way: clients without nodes send what a payment and its answer are long.
"""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.links import PAID_BYTES, PAY_BYTES
from benchmarks.load import Asking
from benchmarks.payments import paid_in_slices
from benchmarks.players import PATIENCE_SECONDS, Player, Stage
from benchmarks.processes import HELLO, ROOM, Processes, Sockets, cpu_seconds, memory_bytes
from benchmarks.report import Figure, Result, median, percentile
from perun.app.settings import Settings as AppSettings
from perun.core.state import PeerId
from perun.crypto import SecretKey, keccak, sign
from perun.encoding.wire_data import attach_digest
from perun.node.settings import peer_id
from perun.testing.ledger import Ledger
from perun.types import ETH
from perun.wire import packets
from perun.wire.packets import PROTOCOL, Attach, Kind, Packet
from perun.wire.web import Listener, WebWire

__all__ = ["network"]


@dataclass(frozen=True, slots=True)
class _Start:
    """What a node's process is told."""

    folder: Path
    name: str
    ledger: Ledger
    other: PeerId
    relay: str | None
    """Where both meet; None: the payee listens."""
    seconds: float
    under_way: int
    pairs: int


def network(
    folder: Path,
    seconds: float = 5.0,
    under_way: int = 200,
    pairs: int = 2_000,
    clients: int = 1_000,
) -> Result:
    """Everything that the targets of docs/performance.md name, but thousands of nodes."""
    figures: list[Figure] = []
    for way, alone, others, p50 in (("direct", 0.55, 0.4, 2.5), ("relayed", 0.45, 0.3, 3.5)):
        home = folder / way
        home.mkdir()
        figures += _payments(home, way, alone, others, p50, seconds, under_way, pairs)
    figures += _relay_alone(clients, seconds)
    title = f"Payments with rows and notes between processes over sockets, {under_way} under way"
    return Result("network", title, tuple(figures))


def _payments(
    folder: Path,
    way: str,
    alone: float,
    others: float,
    p50: float,
    seconds: float,
    under_way: int,
    pairs: int,
) -> list[Figure]:
    stage = Stage(folder, AppSettings())
    alice, bob = stage.player("alice"), stage.player("bob")
    stage.machines(alice, bob, stage.channels(alice, bob, [ETH]))
    for player in stage.players:
        player.stop()
    with Processes() as processes:
        relay = processes.start(_relay) if way == "relayed" else None
        host = relay.hear() if relay is not None else None
        shared = (stage.ledger, host, seconds, under_way, pairs)
        ledger, *rest = shared
        payee = processes.start(_payee, _Start(folder, "bob", ledger, alice.peer, *rest))
        host = host or payee.hear()
        rest[0] = host
        payer = processes.start(_payer, _Start(folder, "alice", ledger, bob.peer, *rest))
        payer.hear()  # It has met the other.
        used = relay.ask("cpu") if relay is not None else 0.0
        many: list[Any] = payer.ask("many")
        used = (relay.ask("cpu") - used) if relay is not None else 0.0
        payee_cpu, received = payee.ask("done")
        one: list[float] = payer.ask("one")
    slices, count = many
    cpu = median(it.paid.cpu_seconds / it.paid.payments for it in slices)
    if received < count:
        raise AssertionError(f"{count} were delivered, {received} received")
    reference = median(part.cpu for part in slices)
    by_cpu = reference / 1e6 / max(cpu, payee_cpu / received)
    by_clock = median(part.ratio for part in slices)
    found = [
        Figure(f"{way}: busier side's processor", by_cpu, "of 1 + 1", at_least=alone),
        Figure(f"{way}: ratio by the clock", by_clock, "of 1 + 1", at_least=others),
        Figure(f"{way}: reference", reference, "µs"),
        Figure(f"{way}: rate", median(it.paid.payments / it.paid.seconds for it in slices), "/s"),
        Figure(f"{way}: payer", cpu * 1e6, "µs"),
        Figure(f"{way}: payee", payee_cpu / received * 1e6, "µs"),
        Figure(f"{way}: one alone, p50", percentile(one, 0.5) * 1e3, "ms", at_most=p50),
        Figure(f"{way}: one alone, p99", percentile(one, 0.99) * 1e3, "ms", at_most=15),
        Figure(f"{way}: payments", count),
    ]
    if relay is not None:
        found.append(Figure("relay: one of many", used / count * 1e6, "µs", at_most=25))
    return found


def _relay(pipe: Connection) -> None:
    """A listener and nothing else, until it is killed."""

    async def serve() -> None:
        listener = Listener("127.0.0.1", 0, limits=ROOM)
        await listener.start()
        pipe.send(listener.host)
        loop = asyncio.get_running_loop()
        answers = {"cpu": cpu_seconds, "memory": memory_bytes, "links": lambda: len(listener.relay)}
        loop.add_reader(pipe.fileno(), lambda: pipe.send(answers[pipe.recv()]()))
        await loop.create_future()

    asyncio.run(serve())


def _player(start: _Start, listener: Listener | None) -> tuple[Player, WebWire]:
    key = SecretKey(keccak(b"perun benchmark key of " + start.name.encode()))
    wire = WebWire(key, HELLO, listener=listener)
    stage = Stage(start.folder, AppSettings())
    stage.ledger = start.ledger
    stage.network = Sockets(wire)
    player = stage.player(start.name)
    player.node.start()
    player.start()
    # As `perun node run` does.
    gc.freeze()
    gc.set_threshold(10_000)
    return player, wire


def _met(player: Player) -> None:
    """Until every channel's peer has shown its newest state."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not all(view.met for view in player.node.books.channels.values()):
        if time.monotonic() > end:
            raise AssertionError(f"{player.name} meets nobody")
        time.sleep(0.01)


def _payee(pipe: Connection, start: _Start) -> None:
    listener = None if start.relay else Listener("127.0.0.1", 0, limits=ROOM)
    player, wire = _player(start, listener)
    before = sum(totals.received for totals in player.node.books.totals.values())
    if listener is not None:
        pipe.send(listener.host)
    elif start.relay is not None:
        wire.reach(start.other, start.relay)
    _met(player)
    cpu = cpu_seconds()
    pipe.recv()
    used = cpu_seconds() - cpu
    received = sum(totals.received for totals in player.node.books.totals.values()) - before
    pipe.send((used, received))
    pipe.recv()
    player.stop()


def _payer(pipe: Connection, start: _Start) -> None:
    player, wire = _player(start, None)
    assert start.relay is not None
    wire.reach(start.other, start.relay)
    _met(player)
    pipe.send(True)
    pipe.recv()
    load = Asking(player, start.other)
    slices = paid_in_slices(load, start.seconds, start.under_way, start.pairs)
    pipe.send((slices, load.delivered))
    pipe.recv()
    load.run(start.seconds / 10, 1)
    pipe.send(load.run(start.seconds / 5, 1).latencies)
    player.stop()


# ------------------------------------------------------------------------------------ relay alone


def _relay_alone(clients: int, seconds: float) -> list[Figure]:
    with Processes() as processes:
        relay = processes.start(_relay)
        host = relay.hear()
        before = relay.ask("memory")
        load = processes.start(_clients, host, clients, seconds / 2)
        load.hear()  # All are attached.
        held = relay.ask("memory") - before
        used = relay.ask("cpu")
        passed = load.ask("pass")
        used = relay.ask("cpu") - used
    return [
        Figure("relay: memory of a client", held / clients / 1_000, "kB", at_most=40),
        Figure(f"relay: {clients // 2} pairs, one each", used / passed * 1e6, "µs", at_most=120),
    ]


def _clients(pipe: Connection, host: str, count: int, seconds: float) -> None:
    """So many attached; each second one sends its partner a payment's packet, and is answered."""

    async def one(stack: AsyncExitStack, client: aiohttp.ClientSession, number: int) -> _Client:
        key = SecretKey(keccak(b"client" + number.to_bytes(4, "big")))
        socket = await stack.enter_async_context(
            client.ws_connect(f"ws://{host}/wire", protocols=(PROTOCOL,))
        )
        random = packets.read_challenge(await socket.receive_bytes())
        peer = peer_id(key.public_key)
        wish = Attach(peer, bytes(sign(attach_digest(host, random), key)), host)
        await socket.send_bytes(wish.encode())
        packets.read_attached(await socket.receive_bytes())
        return peer, socket

    async def play() -> int:
        async with AsyncExitStack() as stack:
            connector = aiohttp.TCPConnector(limit=0)
            client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            all_of_them = [await one(stack, client, number) for number in range(count)]
            pipe.send(True)
            await asyncio.to_thread(pipe.recv)
            end = time.monotonic() + seconds
            pairs = zip(all_of_them[::2], all_of_them[1::2], strict=True)
            return sum(await asyncio.gather(*(_ping_pong(a, b, end) for a, b in pairs)))

    pipe.send(asyncio.run(play()))


_Client = tuple[PeerId, aiohttp.ClientWebSocketResponse]


async def _ping_pong(payer: _Client, payee: _Client, end: float) -> int:
    (a, to_a), (b, to_b) = payer, payee
    pay = Packet(a, b, Kind.BOX, bytes(8), bytes(PAY_BYTES)).encode()
    paid = Packet(b, a, Kind.BOX, bytes(8), bytes(PAID_BYTES)).encode()
    count = 0
    while time.monotonic() < end:
        await to_a.send_bytes(pay)
        await to_b.receive_bytes()
        await to_b.send_bytes(paid)
        await to_a.receive_bytes()
        count += 1
    return count
