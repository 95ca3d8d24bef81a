"""The processes of a hub on several machines, all on this one: gateways, a writer, a standby.

Each is started again when it ends, as a service manager does; an outsider may end any of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.load_network import HUB, hub_policy, settings
from benchmarks.players import Player, Stage
from benchmarks.processes import HELLO, ROOM, Process, Processes, Sockets, cpu_seconds, memory_bytes
from perun.app.rows import KINDS
from perun.crypto import SecretKey, keccak
from perun.store import PostgresStore, StoreInUse, StoreUnreachable, await_turn
from perun.store.postgres.place import PostgresPlace
from perun.testing.ledger import Ledger
from perun.types import UnixTime
from perun.wire.listener import Listener
from perun.wire.mesh import Mesh, Server
from perun.wire.web import WebWire
from tests.node.processes.network.proxy import Proxy
from tests.support.nats import NatsServer
from tests.support.postgres import Cluster, Servers, by_way_of

__all__ = ["NAME", "Machines"]

NAME: Final = "127.0.0.1:1"
"""What all gateways are called; whoever dials it gets to one of them."""
_LOOK: Final = 0.02
_CAUGHT_UP: Final = 1.0


@dataclass(slots=True)
class Machine:
    """One process, in all its lives."""

    name: str
    work: Callable[..., None]
    arguments: Callable[[], tuple[Any, ...]]
    process: Process | None = None
    said: list[Any] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Of its present life."""
        assert self.process is not None
        return self.process.process.pid or 0


class Machines:
    """All of them; `tend` keeps them running."""

    def __init__(
        self,
        processes: Processes,
        nats: NatsServer,
        database: Servers,
        place: PostgresPlace,
        say: Callable[[str], None],
    ) -> None:
        """Starts nothing yet.

        Args:
            say: told whenever a process has begun.
        """
        self._processes, self.place, self._say = processes, place, say
        self.nats, self.database = nats, database
        self.networks: dict[str, Process] = {}
        """What each writer reaches its two servers through, by the writer's name."""
        self.gateways: list[Machine] = []
        self.writers: list[Machine] = []
        self.writer: Machine | None = None
        """Who writes, as far as it was said."""
        self.doors: dict[int, int] = {}
        """Ports of the gateways that run, by process."""
        self.gaps: dict[str, list[float]] = {}
        """By what ended a writer's service: seconds until another one served."""
        self._lost: tuple[str, float, int] | None = None
        """How and since when nobody writes, and the process that did."""

    def begin(self, gateways: int, ledger: Callable[[], tuple[Ledger, UnixTime]]) -> None:
        """Starts them."""
        url = self.nats.url
        for number in range(gateways):
            self.gateways.append(Machine(f"gateway {number + 1}", _gateway, lambda: (url,)))
        for name in ("hub A", "hub B"):
            self.networks[name] = network = self._processes.start(_network, self.place)
            place: PostgresPlace = network.hear()
            self.writers.append(
                Machine(name, _writer, lambda place=place: (url, place, *ledger()))  # type: ignore[misc]
            )
        for machine in (*self.gateways, *self.writers):
            self._start(machine)
        self._say(f"NATS is process {self.nats.pid}")
        for name, server in self._servers():
            self._say(f"{name} is process {server.pid}, {server.url()}")

    def _servers(self) -> tuple[tuple[str, Cluster], ...]:
        return (("database", self.database.database), ("witness", self.database.witness))

    def _start(self, machine: Machine) -> None:
        machine.process = self._processes.start(machine.work, *machine.arguments())
        self._say(f"{machine.name} is process {machine.pid}")

    def lose_writer(self, how: str) -> None:
        """The writer is about to be taken out of service."""
        self._lost = (how, time.monotonic(), 0 if self.writer is None else self.writer.pid)

    async def gateway_costs(self) -> tuple[float, int]:
        """Seconds of the processor and bytes of memory that the present lives of all gateways have
        taken."""
        for machine in self.gateways:
            machine.said.clear()
            assert machine.process is not None
            machine.process.tell("cost")
        while not all(machine.said for machine in self.gateways):
            await asyncio.sleep(_LOOK)
        seconds, memory = zip(*(machine.said[0] for machine in self.gateways), strict=True)
        return sum(seconds), sum(memory)

    async def tend(self) -> None:
        """Until it is cancelled: hears what they say, and starts again what has ended."""
        servers = [asyncio.create_task(self._tend(one)) for _, one in self._servers()]
        try:
            while True:
                for machine in (*self.gateways, *self.writers):
                    self._look_at(machine)
                if not self.nats.is_running:
                    self.nats.start()
                    self._say(f"NATS is process {self.nats.pid}")
                await asyncio.sleep(_LOOK)
        finally:
            for one in servers:
                one.cancel()

    async def _tend(self, server: Cluster) -> None:
        """A database server is started again too: its rows are on the disk."""
        while True:
            if not server.pid:
                await asyncio.to_thread(server.start, check=False)
            await asyncio.sleep(10 * _LOOK)

    def _look_at(self, machine: Machine) -> None:
        process = machine.process
        assert process is not None
        while True:
            said = process.said()
            if said is None:
                break
            if isinstance(said, tuple):
                machine.said.append(said)
                continue
            if machine in self.gateways:
                self.doors[machine.pid] = said
                continue
            self.writer = machine
            self._say(f"{machine.name} writes")
            if self._lost is not None and self._lost[2] != machine.pid:
                how, since, _ = self._lost
                self.gaps.setdefault(how, []).append(time.monotonic() - since)
                self._lost = None
        if not process.process.is_alive():
            self.doors.pop(machine.pid, None)
            if self.writer is machine:
                self.writer = None
                self._lost = self._lost or ("by itself", time.monotonic(), machine.pid)
            self._start(machine)

    def signal(self, machine: Machine, number: signal.Signals) -> None:
        """Sends a process a signal."""
        os.kill(machine.pid, number)


def _network(pipe: Connection, place: PostgresPlace) -> None:
    """Carries what a writer and its servers say, until it is told to swallow it."""
    with ExitStack() as stack:
        ways = {name: stack.enter_context(Proxy(0)) for name in ("database", "witness")}
        for way, url in zip(ways.values(), (place.database, place.witness), strict=True):
            way.target = urlsplit(url).port or 0
        pipe.send(by_way_of(place, *(way.host for way in ways.values())))
        while True:
            name, mute = pipe.recv()
            ways[name].mute = mute


def _gateway(pipe: Connection, server: str) -> None:
    """A gateway with room for a crowd that comes from one address."""

    async def live() -> None:
        mesh = Mesh(Server(server))
        listener = Listener("127.0.0.1", 0, hosts=(NAME,), limits=ROOM, mesh=mesh)
        await listener.start()
        while not mesh.up:
            await asyncio.sleep(_LOOK)
        pipe.send(listener.port)
        while True:
            question = await asyncio.to_thread(pipe.recv)
            if question == "cost":
                pipe.send((cpu_seconds(), memory_bytes()))

    asyncio.run(live())


class _Hub(Player):
    """The hub, with its store on PostgreSQL."""

    place: PostgresPlace

    def open_store(self) -> Any:
        """See `Player`; without its database it ends."""
        return PostgresStore(self.place, KINDS, lost=lambda _: os._exit(1))


def _after_the_last(place: PostgresPlace, stage: Stage) -> _Hub:
    """Once nobody else writes; of several that wait one gets it."""
    while True:
        await_turn(place)
        try:
            return _Hub(HUB, stage, hub_policy())
        except (StoreInUse, StoreUnreachable):
            continue


def _writer(
    pipe: Connection, server: str, place: PostgresPlace, ledger: Ledger, now: UnixTime
) -> None:
    """The hub: waits while another one writes, then is it."""
    key = SecretKey(keccak(b"perun benchmark key of " + HUB.encode()))
    stage = Stage(Path("/nonexistent"), settings())
    stage.ledger = ledger
    stage.clock = type(stage.clock)(now)
    listener = Listener("127.0.0.1", 0, mesh=Mesh(Server(server), card=lambda: None))
    wire = WebWire(key, HELLO, listener=listener, admits=lambda _peer, _token: True)
    stage.network = Sockets(wire)
    _Hub.place = place
    player = stage.enter(_after_the_last(place, stage))
    player.node.start()
    player.start()
    pipe.send("writes")
    while player.node.failed is None:
        if not pipe.poll(_CAUGHT_UP):
            stage.catch_up()
        elif pipe.recv() == "end":
            player.stop()
            os._exit(0)
    os._exit(1)
