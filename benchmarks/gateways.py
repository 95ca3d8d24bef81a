"""Gateways as `perun gateway` runs them, under NATS: what passing payments on costs with one, two
and four of them, and what ten thousand links cost that mostly say nothing.

The links are `benchmarks.links`, in processes of their own. Nobody signs here, so all that is
measured is relaying: *apart*, both ends of each pair are at two gateways; *anywhere*, where they
happen to be, so that of N gateways one in N pairs is at one. Processor time and memory are the
system's account of each process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from benchmarks.links import Plan, clients
from benchmarks.processes import Process, Processes
from benchmarks.report import Figure, Result, percentile
from tests.support.nats import NatsServer

__all__ = ["Gateway", "gateways"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PAIRS: Final = 64
"""That have a payment under way each: enough to keep gateways busy, few enough to answer soon."""
_BUSY: Final = 100
"""Of the many links, pairs that pay once a second."""


class Gateway:
    """`perun gateway`, from construction until it is killed."""

    def __init__(self, nats: str, *options: str) -> None:
        command = [sys.executable, "-m", "perun.cli.main", "gateway", "--nats", nats]
        command += ["--listen", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said: dict[str, Any] = {}
        for line in self.process.stdout:
            event = json.loads(line)
            said[event["event"]] = event
            if {"Running", "MeshUp"} <= said.keys():
                break
        self.host: str = said["Running"]["host"]

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    def kill(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of the processor that they have taken together."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def memory_of(pids: Sequence[int]) -> int:
    """Bytes in memory that they have together."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE for pid in pids)


class _Bench:
    """NATS, some gateways, and processes with links."""

    def __init__(self, stack: ExitStack, folder: Path, gateways: int) -> None:
        self.nats = NatsServer(folder)
        stack.callback(self.nats.stop)
        self.gateways = [Gateway(self.nats.url) for _ in range(gateways)]
        for gateway in self.gateways:
            stack.callback(gateway.kill)
        self.pids = [gateway.pid for gateway in self.gateways]
        self._processes = stack.enter_context(Processes())
        self.clients: list[Process] = []

    def dial(self, links: int, processes: int, *, crossing: bool = False) -> float:
        """So many links; how long it took until all were attached, in seconds."""
        hosts, each = tuple(gateway.host for gateway in self.gateways), links // processes
        plans = [Plan(hosts, at * each, each, crossing) for at in range(processes)]
        self.clients = [self._processes.start(clients, plan) for plan in plans]
        start = time.monotonic()
        for client in self.clients:
            client.hear()
        return time.monotonic() - start

    def ask(self, question: Any) -> list[Any]:
        """All client processes at once; their answers."""
        for client in self.clients:
            client.tell(question)
        return [client.hear() for client in self.clients]

    def pay(self, pairs: int, seconds: float, rest: float = 0.0) -> list[float]:
        """What each payment took, in ascending order."""
        found = self.ask(("pay", pairs // len(self.clients), seconds, rest))
        return sorted(one for some in found for one in some)

    def costs(self, work: Callable[[], Any]) -> tuple[Any, float, float]:
        """What came of it, and seconds of the processor of all gateways, and of NATS."""
        before = cpu_of(self.pids), cpu_of([self.nats.pid])
        found = work()
        return found, cpu_of(self.pids) - before[0], cpu_of([self.nats.pid]) - before[1]


def gateways(folder: Path, seconds: float = 5.0, links: int = 10_000) -> Result:
    """Both halves; `seconds` are those of each row's paying."""
    figures: list[Figure] = []
    for count, crossing in ((1, False), (2, False), (4, False), (2, True), (4, True)):
        figures += _relayed(folder, count, crossing, seconds)
    figures += _idle(folder, links, min(60.0, 12 * seconds))
    return Result("gateways", "Gateways over NATS, links without nodes", tuple(figures))


def _relayed(folder: Path, count: int, crossing: bool, seconds: float) -> list[Figure]:
    with ExitStack() as stack:
        bench = _Bench(stack, folder, count)
        bench.dial(2 * _PAIRS, 2, crossing=crossing)
        bench.pay(_PAIRS, seconds / 5)
        took, own, broker = bench.costs(lambda: bench.pay(_PAIRS, seconds))
    name = f"{count}, ends {'apart' if crossing else 'anywhere'}"
    return [
        Figure(f"{name}: payments", len(took) / seconds, "/s"),
        Figure(f"{name}: gateways", own / len(took) * 1e6, "µs a payment"),
        Figure(f"{name}: NATS", broker / len(took) * 1e6, "µs a payment"),
    ]


def _idle(folder: Path, links: int, seconds: float) -> list[Figure]:
    with ExitStack() as stack:
        bench = _Bench(stack, folder, 2)
        before, broker_before = memory_of(bench.pids), memory_of([bench.nats.pid])
        joined = bench.dial(links, 4)
        held = memory_of(bench.pids) - before
        broker_held = memory_of([bench.nats.pid]) - broker_before
        bytes_before = sum(bench.ask("bytes"))
        _, own, broker = bench.costs(lambda: time.sleep(seconds))
        sent = sum(bench.ask("bytes")) - bytes_before
        took = bench.pay(_BUSY, seconds / 3, 1.0)
        lost = [why for some in bench.ask("losses") for why in some]
        if lost:
            raise AssertionError(f"{len(lost)} links were lost: {lost[0]}")
    per_minute = 60 / seconds / links
    idle, at_work = f"{links:,} idle", f"{_BUSY} pairs of {links:,}"
    return [
        Figure(f"{idle}: all attached", joined, "s"),
        Figure(f"{idle}: in gateways", held / links / 1_000, "kB each", at_most=40),
        Figure(f"{idle}: in NATS", broker_held / links / 1_000, "kB each"),
        Figure(f"{idle}: on the line", sent * per_minute, "bytes a minute each"),
        Figure(f"{idle}: gateways", own * per_minute * 1e6, "µs a minute each"),
        Figure(f"{idle}: NATS", broker * per_minute * 1e6, "µs a minute each"),
        Figure(f"{at_work}: p50", percentile(took, 0.5) * 1e3, "ms"),
        Figure(f"{at_work}: p99", percentile(took, 0.99) * 1e3, "ms"),
    ]
