"""A hub on several machines under a crowd, while an outsider ends whatever it likes.

PostgreSQL, a witness, NATS, gateways, a writer and its standby are processes of their own; the
wallets are `load_network`'s, all in this one. Whatever ends is started again, by whoever it was
ended: who is who is printed, so that somebody can try it by hand. In the end it is audited to the
wei.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from pathlib import Path
from typing import Final

from benchmarks.crowd import alone as unfollowed
from benchmarks.load_network import Crowd, begin_stage
from benchmarks.machines import NAME, Machines
from benchmarks.players import Stage
from benchmarks.processes import HELLO, Processes
from benchmarks.report import Figure, Result, percentile
from perun.app.rows import KINDS
from perun.store import PostgresStore, SqliteStore
from perun.store.postgres.place import PostgresPlace
from perun.wire.sockets import Socket
from perun.wire.web_sockets import WebSockets
from tests.support.nats import NatsServer
from tests.support.postgres import Servers, servers

__all__ = ["scale"]

_REST: Final = 4.0
"""Seconds between two acts of the outsider, at most twice as long."""
_GOAL: Final = dict.fromkeys(
    ("killed", "stopped", "cut off", "database unheard", "witness unheard"), 5.0
)
"""Seconds. A server that was ended comes back when it does."""
_LEASES: Final = 5.0
"""What is stopped, or not heard, is so for longer than a lease."""
_GARBAGE: Final = 200
"""Connections that say nothing of sense, at once."""


class Balanced(WebSockets):
    """Dials one of the gateways that run, whichever it gets, under their one name."""

    machines: Machines

    def connect(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """See `Sockets`."""
        doors = list(self.machines.doors.values())
        port = random.choice(doors) if doors else 1  # no secret
        return super().connect(url.replace(NAME, f"127.0.0.1:{port}"))


class Outsider:
    """Ends processes, servers and sessions, one after the other, at any time."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.nats, self.database = machines.nats, machines.database
        self.acts: Counter[str] = Counter()
        self._dice = random.Random(1)

    async def live(self, seconds: float) -> None:
        """For so long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        acts = [
            self.kill_writer,
            self.stop_writer,
            self.cut_writer,
            self.mute_database,
            self.mute_witness,
            self.kill_gateway,
            self.stop_gateway,
            self.fill_gateway,
            self.kill_nats,
            self.kill_database,
            self.kill_witness,
            self.kill_nats_and_database,
        ]
        while loop.time() < end:
            for act in self._dice.sample(acts, len(acts)):
                await asyncio.sleep(_REST * (0.5 + self._dice.random()))
                if loop.time() > end:
                    return
                while self.machines.writer is None and loop.time() < end:
                    # Or it would be said of whoever was ended before.
                    await asyncio.sleep(0.05)
                await act()
                self.acts[act.__name__.replace("_", " ")] += 1

    async def kill_writer(self) -> None:
        """`kill -9`."""
        if self.machines.writer is not None:
            self.machines.lose_writer("killed")
            self.machines.signal(self.machines.writer, signal.SIGKILL)

    async def stop_writer(self) -> None:
        """SIGSTOP, for longer than its lease; then it wakes up."""
        writer = self.machines.writer
        if writer is not None:
            self.machines.lose_writer("stopped")
            self.machines.signal(writer, signal.SIGSTOP)
            await asyncio.sleep(_LEASES)
            self.machines.signal(writer, signal.SIGCONT)

    async def cut_writer(self) -> None:
        """Its sessions with database and witness end."""
        if self.machines.writer is not None:
            self.machines.lose_writer("cut off")
            await asyncio.to_thread(self.database.cut, self.machines.writer.pid)

    async def mute_database(self) -> None:
        """The network between writer and database takes everything and delivers nothing."""
        await self._mute("database")

    async def mute_witness(self) -> None:
        """… and that between writer and witness, where no standby looks."""
        await self._mute("witness")

    async def _mute(self, server: str) -> None:
        writer = self.machines.writer
        if writer is not None:
            self.machines.lose_writer(f"{server} unheard")
            network = self.machines.networks[writer.name]
            network.tell((server, True))
            await asyncio.sleep(_LEASES)
            network.tell((server, False))

    async def kill_gateway(self) -> None:
        """… one of them, with all its links."""
        self.machines.signal(self._dice.choice(self.machines.gateways), signal.SIGKILL)

    async def stop_gateway(self) -> None:
        """Its links are there, and nobody answers; then it goes on."""
        gateway = self._dice.choice(self.machines.gateways)
        self.machines.signal(gateway, signal.SIGSTOP)
        await asyncio.sleep(_LEASES)
        self.machines.signal(gateway, signal.SIGCONT)

    async def fill_gateway(self) -> None:
        """With connections that say nothing of sense, and stay."""
        port = self._dice.choice([*self.machines.doors.values(), 1])
        writers = []
        for _ in range(_GARBAGE):
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(self._dice.randbytes(2_000))
                writers.append(writer)
        await asyncio.sleep(1)
        for writer in writers:
            writer.close()

    async def kill_nats(self) -> None:
        """It forgets everything, and is started again."""
        self.nats.stop()

    async def kill_database(self) -> None:
        """`kill -9` of its first process, and so of all sessions."""
        self.machines.lose_writer("database killed")
        self.database.database.kill()

    async def kill_witness(self) -> None:
        """… of the witness's."""
        self.machines.lose_writer("witness killed")
        self.database.witness.kill()

    async def kill_nats_and_database(self) -> None:
        """At once."""
        self.nats.stop()
        await self.kill_database()


def scale(
    folder: Path,
    seconds: float = 60.0,
    wallets: int = 1_000,
    gateways: int = 2,
    *,
    alone: bool = False,
) -> Result:
    """All that happens.

    Args:
        seconds: of paying under the outsider's hands.
        alone: nobody here ends anything; whoever likes may.
    """
    with ExitStack() as stack:
        database = stack.enter_context(servers(durable=True))
        nats = NatsServer(folder)
        stack.callback(nats.stop)
        processes = stack.enter_context(Processes())
        place = _with_channels(stage := begin_stage(folder, wallets), database)
        machines = Machines(processes, nats, database, place, _say)
        return asyncio.run(_scale(stage, seconds, gateways, machines, alone))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _with_channels(stage: Stage, database: Servers) -> PostgresPlace:
    """Where the rows of a hub are that has lived in this process until now."""
    hub = stage.players[0]
    hub.stop()
    place = database.place()
    with_rows, empty = SqliteStore(hub.path, KINDS), PostgresStore(place, KINDS)
    empty.fill(with_rows.dump())
    with_rows.close()
    empty.close()
    return place


async def _mine(everybody: Crowd) -> None:
    """A block whenever the newest is old, as on a chain."""
    while True:
        await asyncio.sleep(1)
        everybody.stage.mine()


async def _scale(
    stage: Stage, seconds: float, gateways: int, machines: Machines, alone: bool
) -> Result:
    wallets = len(stage.players) - 1
    machines.begin(gateways, lambda: (unfollowed(stage.ledger), stage.clock.now()))
    tending = asyncio.create_task(machines.tend())
    Balanced.machines = machines
    everybody = Crowd(stage)
    while machines.writer is None or len(machines.doors) < gateways:
        await asyncio.sleep(0.05)
    _, before = await machines.gateway_costs()
    joined = await everybody.connect(NAME, HELLO, Balanced)
    _, after = await machines.gateway_costs()
    mining = asyncio.create_task(_mine(everybody))
    opening = await everybody.pay(everybody.pairs, 0)
    begun, _ = await machines.gateway_costs()
    quiet = await everybody.pay(everybody.pairs, min(5.0, seconds))
    ended, _ = await machines.gateway_costs()
    calm = sorted(one for pair in everybody.pairs for one in pair.latencies)

    outsider = Outsider(machines)
    acting = asyncio.create_task(asyncio.sleep(seconds) if alone else outsider.live(seconds))
    _say(f"all {wallets} wallets pay for {seconds:g} s; end whatever you like")
    await everybody.pay(everybody.pairs, seconds)
    await acting
    harsh = sorted(one for pair in everybody.pairs for one in pair.latencies)
    await everybody.until(everybody.all_linked)
    await everybody.pay(everybody.pairs, 0)

    mining.cancel()
    await everybody.leave()
    tending.cancel()
    for machine in machines.writers:
        machines.signal(machine, signal.SIGKILL)
    store = await asyncio.to_thread(PostgresStore, machines.place, KINDS)
    assert not store.exit_only
    total = everybody.audit(store, failing=True)
    done = sorted(outsider.acts.items())
    acts = ", ".join(f"{count} × {what}" for what, count in done) or "left to others' hands"
    return Result(
        "scale",
        f"A hub with {gateways} gateways, a standby and {wallets} wallets; {acts}",
        (
            Figure("all have met the hub", joined, "s"),
            Figure("openings", len(everybody.pairs) / opening, "/s, first payment and all"),
            Figure("payments left alone", len(calm) / quiet, "/s"),
            Figure("payment left alone, p50", percentile(calm, 0.5) * 1e3, "ms"),
            Figure("payment left alone, p99", percentile(calm, 0.99) * 1e3, "ms"),
            Figure("gateways: a payment left alone", (ended - begun) / len(calm) * 1e6, "µs"),
            Figure("gateways: memory of a link", (after - before) / wallets / 1_000, "kB"),
            Figure("payments under the outsider", len(harsh) / seconds, "/s"),
            Figure("payment, p50", percentile(harsh, 0.5) * 1e3, "ms"),
            Figure("payment, p99", percentile(harsh, 0.99), "s"),
            Figure("payment, longest", harsh[-1], "s"),
            *(
                Figure(f"writer {how}: none for, longest", max(gaps), "s", at_most=_GOAL.get(how))
                for how, gaps in sorted(machines.gaps.items())
            ),
            Figure("payments that failed, and moved nothing", len(everybody.failed)),
            Figure("audited", total, "wei, each of them on both sides"),
        ),
    )
