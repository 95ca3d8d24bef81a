"""Ticks of streams between two nodes of one process: in memory, on disk, many and one at a wish.

A tick counts when its payer has heard that the payee has checked and stored it. Wishes of one
moment leave as one message, which carries the newest tick: so what a message, its signatures and
its rows cost is shared, and each tick is left with the hash that makes it and the one that checks
it.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from pathlib import Path
from typing import Final

from benchmarks import reference
from benchmarks.load import Load
from benchmarks.players import CountingMemory, CountingStore, Player, Stage
from benchmarks.report import Figure, Result, median, percentile
from perun.core.config import Policy
from perun.core.limits import LIMITS
from perun.core.nanocontracts.hash_chain import STREAMS, CommandStream, CommandTick, paid_in
from perun.core.notices import Notice, TicksDelivered, TicksReceived
from perun.core.state import InstanceView, LegStatus
from perun.store.tables import TABLES
from perun.types import ETH, ChainId, InstanceId, Seconds, Stream, UnixTime, Wei

__all__ = ["stream"]

_SLICES: Final = 5
_ONE: Final = Wei(1)
_LOCK: Final = Wei(10**15)
_LIFE: Final = 86_400


class _InMemory(Player):
    """Keeps its store in memory."""

    def open_store(self) -> CountingMemory:
        """See `Player`."""
        return CountingMemory()


class Ticks(Load):
    """`payer` pays ticks of 1 wei, `each` at a wish, with so many wishes of a stream under way."""

    def __init__(self, payer: Player, payee: Player, streams: list[InstanceId], each: int) -> None:
        super().__init__(payer, payee, len(streams), each)
        self._commands = {id: CommandTick(id, each) for id in streams}
        self._begun: dict[bytes, deque[float]] = {id: deque() for id in streams}
        self._totals: dict[bytes, int] = dict.fromkeys(streams, 0)
        self.messages = 0
        """By which the payee's user was told of …"""
        self.received = 0
        """… so many ticks."""
        payer.hear, payee.hear = self._on_payer, self._on_payee

    def _on_payee(self, notice: Notice) -> None:
        if type(notice) is TicksReceived:
            self.messages += 1
            self.received += notice.amount

    def _on_payer(self, notice: Notice) -> None:
        if type(notice) is not TicksDelivered:
            return
        id, now = notice.instance, time.perf_counter()
        wishes, self._totals[id] = (notice.total - self._totals[id]) // self.each, notice.total
        begun = self._begun[id]
        self._latencies.extend(now - begun.popleft() for _ in range(wishes))
        if self._goes_on(now, wishes):
            begun.extend([now] * wishes)
            self.payer.node.post([self._commands[id]] * wishes)

    def _begin(self, under_way: int) -> None:
        now = time.perf_counter()
        for begun in self._begun.values():
            begun.extend([now] * under_way)
        self.payer.node.post([*self._commands.values()] * under_way)


def stream(
    folder: Path,
    seconds: float = 6.0,
    streams: int = 8,
    each: int = 64,
    under_way: int = 8,
    pairs: int = 2_000,
) -> Result:
    """As many ticks as go through so many streams."""
    figures: list[Figure] = []
    for where, kind in (("memory", _InMemory), ("disk", Player)):
        for size, waiting in ((each, under_way), (1, each)):
            home = folder / f"{where} {size}"
            home.mkdir()
            name = f"{where}, {'one' if size == 1 else size} a wish"
            at_least = 10.0 if (where, size) == ("memory", each) else None
            figures += _one(
                *(home, kind, name, seconds / 4, streams, size, waiting, pairs, at_least)
            )
    title = f"Ticks, two nodes, {streams} streams, {under_way} wishes of {each} or {each} of one"
    return Result("stream", f"{title} under way in each", tuple(figures))


def _one(
    folder: Path,
    kind: type[Player],
    name: str,
    seconds: float,
    streams: int,
    each: int,
    under_way: int,
    pairs: int,
    at_least: float | None,
) -> list[Figure]:
    stage = Stage(folder)
    policy = Policy(assets=(ETH,), greatest_deposit=Wei(10**30))
    alice, bob = (stage.enter(kind(one, stage, policy)) for one in ("alice", "bob"))
    ids = _streams(stage, alice, bob, streams)
    load = Ticks(alice, bob, ids, each)
    ratios, paid = [], []
    with stage.playing():
        load.run(min(seconds / _SLICES, 0.3), under_way)
        warm, commits, signed = load.received, bob.store.commits, alice.signer.signatures
        messages, before = load.messages, reference.measure(pairs)
        for _ in range(_SLICES):
            one = load.run(seconds / _SLICES, under_way)
            after = reference.measure(pairs)
            ratios.append((before.wall + after.wall) / 2e6 * one.payments / one.seconds)
            paid.append(one)
            before = after
        commits, messages = bob.store.commits - commits, load.messages - messages
        signed = alice.signer.signatures - signed
    ticks = load.received - warm
    latencies = sorted(one for part in paid for one in part.latencies)
    found = [
        Figure(f"{name}: ratio", median(ratios), "of 1 + 1", at_least=at_least),
        Figure(f"{name}: rate", median(one.payments / one.seconds for one in paid), "ticks/s"),
        Figure(f"{name}: cpu", median(one.cpu_seconds / one.payments * 1e6 for one in paid), "µs"),
        Figure(f"{name}: p50", percentile(latencies, 0.5) * 1e3, "ms"),
        Figure(f"{name}: ticks", ticks),
        Figure(f"{name}: ticks a message", ticks / messages),
        Figure(f"{name}: ticks a signature", ticks / max(1, signed)),
        Figure(f"{name}: ticks a commit", ticks / commits, "of payee"),
    ]
    if isinstance(bob.store, CountingStore):
        on_disk = _on_disk(bob.path)
        found.append(Figure(f"{name}: missing on disk", load.received - on_disk, at_most=0))
    return found


def _streams(stage: Stage, alice: Player, bob: Player, count: int) -> list[InstanceId]:
    """So many, in a channel of their own each, in which `alice` pays."""
    validity = UnixTime(stage.ledger.time + _LIFE)
    challenge = Seconds(LIMITS[ChainId(31337)].least_machine_challenge)
    alice.do(
        CommandStream(id, _LOCK, _ONE, validity, challenge, alice.random())
        for id in stage.channels(alice, bob, [ETH], count)
    )

    def listed() -> bool:
        views = [list(one.node.books.instances.values()) for one in (alice, bob)]
        return all(
            len(side) == count
            and all(one.legs[0].status is LegStatus.LISTED and one.watched for one in side)
            for side in views
        )

    stage.settle(listed)
    return list(alice.node.books.instances)


def _on_disk(path: Path) -> int:
    """Ticks that the store of a payee holds, once it is closed."""
    table, found = TABLES[InstanceView], 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for number, body in db.execute(table.select):
            row = table.decode(number, body)
            assert isinstance(row, InstanceView)
            assert isinstance(row.terms, Stream)
            assert STREAMS.of(row).signature
            found += paid_in(row.terms, row)
    db.close()
    return found
