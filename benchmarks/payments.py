"""Payments between two nodes of one process, and what they cost with more channels."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import reference
from benchmarks.load import Asking, Paid, Payments
from benchmarks.players import Player, Stage, totals_on_disk
from benchmarks.report import Figure, Result, median, percentile
from perun.types import ETH

__all__ = ["Pair", "latency", "paid_in_slices", "payments", "scaling"]

_SLICES = 5


@dataclass(frozen=True, slots=True)
class _Slice:
    """A stretch of paying, with the reference around it (microseconds)."""

    paid: Paid
    wall: float
    cpu: float

    @property
    def ratio(self) -> float:
        return self.wall * self.paid.payments / self.paid.seconds / 1e6

    @property
    def cpu_ratio(self) -> float:
        return self.cpu * self.paid.payments / self.paid.cpu_seconds / 1e6


class Pair:
    """Two nodes, their channels, one machine in each."""

    def __init__(self, folder: Path, channels: int) -> None:
        self.stage = Stage(folder)
        self.alice, self.bob = self.stage.player("alice"), self.stage.player("bob")
        ids = self.stage.channels(self.alice, self.bob, [ETH], channels)
        machines = self.stage.machines(self.alice, self.bob, ids)
        self.load = Payments(self.alice, self.bob, machines)

    def slices(self, seconds: float, under_way: int, pairs: int) -> list[_Slice]:
        """See `paid_in_slices`."""
        return paid_in_slices(self.load, seconds, under_way, pairs)


def paid_in_slices(
    load: Payments | Asking, seconds: float, under_way: int, pairs: int
) -> list[_Slice]:
    """Pays in slices with the reference before and after each; the first warms up only."""
    load.run(min(seconds / _SLICES, 0.3), under_way)
    found = []
    before = reference.measure(pairs)
    for _ in range(_SLICES):
        paid = load.run(seconds / _SLICES, under_way)
        after = reference.measure(pairs)
        wall, cpu = (before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2
        found.append(_Slice(paid, wall, cpu))
        before = after
    return found


def payments(
    folder: Path, seconds: float = 5.0, channels: int = 100, each: int = 2, pairs: int = 2_000
) -> Result:
    """As many as go through `channels` channels with so many payments under way in each."""
    pair = Pair(folder, channels)
    alice, bob = pair.alice, pair.bob
    with pair.stage.playing():
        before = [_counts(player) for player in (alice, bob)]
        warm = pair.load.delivered
        slices = pair.slices(seconds, each * channels, pairs)
        payer, payee = (
            [now - then for now, then in zip(_counts(player), old, strict=True)]
            for player, old in zip((alice, bob), before, strict=True)
        )
        everything = [player.store.commits for player in (alice, bob)]
        syncs = [_checkpoints(player.path) for player in (alice, bob)]
    done = pair.load.delivered - warm
    stored = [totals_on_disk(player.path) for player in (alice, bob)]
    latencies = sorted(one for part in slices for one in part.paid.latencies)
    return Result(
        "payments",
        f"Payments, two nodes, {channels} channels, {each} under way in each, none coalesced",
        (
            Figure("ratio", median(part.ratio for part in slices), "of 1 + 1", at_least=0.5),
            Figure("cpu ratio", median(part.cpu_ratio for part in slices), "of 1 + 1"),
            Figure("rate", median(p.paid.payments / p.paid.seconds for p in slices), "/s"),
            Figure("cpu", median(p.paid.cpu_seconds / p.paid.payments * 1e6 for p in slices), "µs"),
            Figure("reference", median(part.wall for part in slices), "µs"),
            Figure("p50", percentile(latencies, 0.5) * 1e3, "ms"),
            Figure("p99", percentile(latencies, 0.99) * 1e3, "ms", at_most=50),
            Figure("payments", done),
            Figure("signed", payer[2]),
            Figure("rows of payer", payer[0]),
            Figure("rows of payee", payee[0]),
            Figure("commits of payer", payer[1]),
            Figure("commits of payee", payee[1]),
            Figure("group of payer", payer[0] / payer[1], "payments"),
            Figure("group of payee", payee[0] / payee[1], "payments"),
            Figure("commits of all", sum(everything), "setup and both sides"),
            Figure("checkpoints", sum(syncs)),
            Figure("received", pair.load.received),
            Figure("on disk of payer", stored[0][0]),
            Figure("on disk of payee", stored[1][1]),
        ),
    )


def _counts(player: Player) -> tuple[int, int, int]:
    return player.store.totals, player.store.commits, player.signer.signatures


def _checkpoints(path: Path) -> int:
    """How often SQLite has moved the log into the file: the log's header counts it."""
    log = path.with_name(path.name + "-wal")
    header = log.read_bytes()[12:16] if log.exists() else b""
    return int.from_bytes(header, "big")


def latency(folder: Path, seconds: float = 2.0) -> Result:
    """One payment at a time, with nothing else to do."""
    pair = Pair(folder, 1)
    with pair.stage.playing():
        pair.load.run(seconds / 10, 1)
        commits = pair.alice.store.commits
        paid = pair.load.run(seconds, 1)
        commits = pair.alice.store.commits - commits
    return Result(
        "latency",
        "One payment at a time: from the command to the notice that the other side has it",
        (
            Figure("p50", percentile(paid.latencies, 0.5) * 1e3, "ms"),
            Figure("p99", percentile(paid.latencies, 0.99) * 1e3, "ms"),
            Figure("of which fdatasync", 2 * _sync_seconds(folder) * 1e3, "ms"),
            Figure("payments", paid.payments),
            Figure("commits of payer", commits),
        ),
    )


def _sync_seconds(folder: Path) -> float:
    """Seconds of one small SQLite commit here: the median of a hundred."""
    taken = []
    with sqlite3.connect(folder / "plain.db", isolation_level=None) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE rows (row INTEGER PRIMARY KEY, body BLOB)")
        for index in range(100):
            start = time.perf_counter()
            db.execute("INSERT OR REPLACE INTO rows VALUES (1, ?)", (index.to_bytes(200, "big"),))
            taken.append(time.perf_counter() - start)
    db.close()
    return median(taken)


def scaling(
    folder: Path,
    seconds: float = 6.0,
    sizes: tuple[int, ...] = (10, 100, 1_000),
    under_way: int = 100,
    pairs: int = 2_000,
) -> Result:
    """The same load on more and more channels: what a payment costs must not grow."""
    figures: list[Figure] = []
    for channels in sizes:
        home = folder / str(channels)
        home.mkdir()
        pair = Pair(home, channels)
        with pair.stage.playing():
            slices = pair.slices(seconds / len(sizes), under_way, pairs)
        cost = median(p.paid.cpu_seconds / p.paid.payments / p.cpu * 1e6 for p in slices)
        first = figures[0].value if figures else cost
        figures += [
            Figure(f"{channels} channels", cost, "times 1 + 1", at_most=round(first * 1.25, 2)),
            Figure(f"{channels} channels, ratio", median(p.ratio for p in slices), "of 1 + 1"),
        ]
    title = f"Processor time of a payment, {under_way} under way, by number of channels"
    return Result("scaling", title, tuple(figures))
