"""A hub under a thousand wallets: they come, open virtual channels over it, pay, and see it killed.

The hub is a process of its own with its store on disk; the wallets are `load_network`'s, in this
one. Nothing is measured by the wallets' processor time: they share one.
"""

from __future__ import annotations

import asyncio
import copy
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks.load_network import HUB, Crowd, Pair, begin_stage, hub_policy, settings
from benchmarks.players import Player, Stage
from benchmarks.processes import (
    HELLO,
    ROOM,
    Process,
    Processes,
    Sockets,
    cpu_seconds,
    memory_bytes,
)
from benchmarks.report import Figure, Result, median, percentile
from perun.crypto import SecretKey, keccak
from perun.store import SqliteStore
from perun.testing.ledger import Ledger
from perun.wire.listener import Listener
from perun.wire.web import WebWire

__all__ = ["alone", "crowd"]

_LATE: Final = 10
"""One pair in so many opens its channel while the hub is killed."""


def crowd(folder: Path, seconds: float = 20.0, wallets: int = 1_000) -> Result:
    """All that happens to one hub; `seconds` are those of paying."""
    return asyncio.run(_crowd(folder, seconds, wallets))


async def _crowd(folder: Path, seconds: float, wallets: int) -> Result:
    stage = begin_stage(folder, wallets)
    hub_player = stage.players[0]
    hub_player.stop()
    everybody = Crowd(stage)
    late = everybody.pairs[:: max(2, _LATE)]
    early = [pair for pair in everybody.pairs if pair not in late]
    with Processes() as processes:
        hub = processes.start(_hub, folder, alone(stage.ledger), 0)
        host = await asyncio.to_thread(hub.hear)
        before = await _ask(hub, "memory")
        joined = await everybody.connect(host, HELLO)
        held = await _ask(hub, "memory") - before

        cpu = await _ask(hub, "cpu")
        opening = await everybody.pay(early, 0)
        first = sorted(pair.latencies[0] for pair in early)
        opened = await _ask(hub, "cpu") - cpu

        await everybody.catch_up()
        cpu, paid = await _ask(hub, "cpu"), sum(pair.paid for pair in early)
        took = await everybody.pay(early, seconds)
        cpu, paid = await _ask(hub, "cpu") - cpu, sum(pair.paid for pair in early) - paid
        latencies = sorted(one for pair in early for one in pair.latencies)
        medians = [median(pair.latencies) for pair in early if pair.latencies]

        resolved, back, hub = await _kill(everybody, hub, processes, folder, early, late)
        await everybody.leave()
        await _ask(hub, "end")
        total = everybody.audit(SqliteStore(hub_player.path))
    return Result(
        "crowd",
        f"A hub with {wallets} wallets, all in one other process",
        (
            Figure("all have met the hub", joined, "s"),
            Figure("memory of a client", held / wallets / 1_000, "kB", at_most=40),
            Figure("openings", len(early) / opening, "/s, first payment and all"),
            Figure("hub: an opening", opened / len(early) * 1e3, "ms"),
            Figure("first payment, p50", percentile(first, 0.5), "s, all at once"),
            Figure("first payment, p99", percentile(first, 0.99), "s"),
            Figure("payments", paid / took, "/s"),
            Figure("payment, p50", percentile(latencies, 0.5) * 1e3, "ms"),
            Figure("payment, p99", percentile(latencies, 0.99) * 1e3, "ms"),
            Figure("payment, longest", latencies[-1], "s", at_most=2),
            Figure("fairness", max(medians) / median(medians), "greatest median", at_most=3),
            Figure("hub: a relayed payment", cpu / paid * 1e6, "µs", at_most=120),
            Figure("killed: all back after", back, "s", at_most=30),
            Figure("killed: all resolved after", resolved, "s", at_most=30),
            Figure("audited", total, "wei, each of them on both sides"),
        ),
    )


def alone(ledger: Ledger) -> Ledger:
    """What another process gets: the same blocks, followed by nobody here."""
    other = copy.copy(ledger)
    other.followers = []
    return other


async def _ask(hub: Process, question: str) -> Any:
    """The wallets live on while the hub thinks."""
    return await asyncio.to_thread(hub.ask, question)


async def _kill(
    everybody: Crowd,
    hub: Process,
    processes: Processes,
    folder: Path,
    early: list[Pair],
    late: list[Pair],
) -> tuple[float, float, Process]:
    """Kills the hub while all pay and some open, and starts it again: seconds from its start until
    nothing is open, and until everybody is back; and its new process."""
    port = int(await _ask(hub, "port"))
    paying = asyncio.create_task(everybody.pay([*early, *late], 600))
    await asyncio.sleep(0.2)
    hub.process.kill()
    hub.process.join()
    everybody.stop_paying()
    await asyncio.sleep(0.5)
    start = time.perf_counter()
    hub = processes.start(_hub, folder, alone(everybody.stage.ledger), port)
    await asyncio.to_thread(hub.hear)
    await everybody.until(everybody.all_linked)
    back = time.perf_counter() - start
    await paying
    return time.perf_counter() - start, back, hub


def _hub(pipe: Connection, folder: Path, ledger: Ledger, port: int) -> None:
    """The hub, until it is killed or told to end."""
    key = SecretKey(keccak(b"perun benchmark key of " + HUB.encode()))
    listener = Listener("127.0.0.1", port, limits=ROOM)
    wire = WebWire(key, HELLO, listener=listener, admits=lambda _peer, _token: True)
    stage = Stage(folder, settings())
    stage.ledger = ledger
    stage.network = Sockets(wire)
    player = stage.enter(Player(HUB, stage, hub_policy()))
    player.node.start()
    player.start()
    pipe.send(listener.host)
    answers = {"cpu": cpu_seconds, "memory": memory_bytes, "port": lambda: listener.port}
    while True:
        if not pipe.poll(1):
            stage.catch_up()
            continue
        question = pipe.recv()
        if question == "end":
            player.stop()
            pipe.send(player.faults[:3])
            return
        pipe.send(answers[question]())
