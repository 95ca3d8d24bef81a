"""What needs new states: updates of a channel, virtual channels opened and closed over a hub."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import reference
from benchmarks.players import Player, Stage, wait
from benchmarks.report import Figure, Result, median, percentile
from perun.core.inputs import CommandRemove, CommandTransfer
from perun.core.notices import InstanceRemoved, Notice, TransferDone, VirtualReady
from perun.core.state import PeerId
from perun.types import ETH, Address, Asset, ChannelId, InstanceId, Wei

__all__ = [
    "NAMES",
    "VIRTUAL",
    "VirtualRounds",
    "assets_of",
    "enter",
    "over_a_hub",
    "stretches",
    "updates",
    "virtual",
]

NAMES: Final = ("alice", "bob", "ingrid")
"""Two ends and their hub."""

SLICES = 5
ONE = Wei(1)


class _Rounds:
    """Something done again and again, `begin` by `begin`, until time is up."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.latencies: list[float] = []
        self._begun: dict[ChannelId, float] = {}
        self._until = self._ended = 0.0
        self._done = threading.Event()
        self.finished = 0

    def begin(self, channel: ChannelId) -> None:
        """Asks for one more; of a subclass."""
        raise NotImplementedError

    def finish(self, channel: ChannelId) -> None:
        """One is done; begins the next in the same channel."""
        now = time.perf_counter()
        self.latencies.append(now - self._begun.pop(channel))
        self.finished += 1
        if now < self._until:
            self._begun[channel] = now
            self.begin(channel)
        elif not self._begun:
            self._ended = now
            self._done.set()

    def run(self, channels: list[ChannelId], seconds: float) -> tuple[int, float, float]:
        """How many, in how many seconds, with how many of the process's own."""
        self.stage.catch_up()
        self._done.clear()
        before = self.finished
        start, cpu = time.perf_counter(), time.process_time()
        self._until = start + seconds
        self._begun = dict.fromkeys(channels, start)
        for channel in channels:
            self.begin(channel)
        wait(self._done, self.stage.players)
        taken, cpu = self._ended - start, time.process_time() - cpu
        return self.finished - before, taken, cpu


class _Updates(_Rounds):
    """Alice pays Bob 1 wei by a new state."""

    def __init__(self, stage: Stage, alice: Player) -> None:
        super().__init__(stage)
        self.alice = alice
        alice.hear = self._on_notice

    def begin(self, channel: ChannelId) -> None:
        self.alice.do((CommandTransfer(channel, ONE),))

    def _on_notice(self, notice: Notice) -> None:
        if type(notice) is TransferDone:
            self.finish(notice.channel)


class VirtualRounds(_Rounds):
    """Alice opens a machine with Bob over the hub, and closes it as soon as it is ready."""

    def __init__(self, stage: Stage, alice: Player, bob: Player | None, end: PeerId) -> None:
        """Closed is what both ends say is; if `bob` is None, what Alice says is."""
        super().__init__(stage)
        self.alice, self.bob, self.end = alice, bob, end
        self._opening: dict[InstanceId, ChannelId] = {}
        self._once: set[InstanceId] = set()
        self._lock = threading.Lock()
        alice.hear = self._on_alice
        if bob is not None:
            bob.hear = self._on_bob

    def begin(self, channel: ChannelId) -> None:
        self.alice.do((self.stage.machine(self.alice, channel, Wei(10**6), self.end),))

    def _on_alice(self, notice: Notice) -> None:
        if type(notice) is VirtualReady:
            self.alice.do((CommandRemove(notice.instance),))
        elif type(notice) is InstanceRemoved:
            if self.bob is None:
                self.finish(notice.channel)
                return
            self._opening[notice.instance] = notice.channel
            self._removed(notice.instance)

    def _on_bob(self, notice: Notice) -> None:
        if type(notice) is InstanceRemoved:
            self._removed(notice.instance)

    def _removed(self, id: InstanceId) -> None:
        """Closed once both ends say so."""
        with self._lock:
            both = id in self._once
            self._once.add(id)
        if both:
            self.finish(self._opening.pop(id))


@dataclass(frozen=True, slots=True)
class Case:
    """What the figures of both benchmarks need."""

    name: str
    pairs_each: int
    """Signatures and verifications that one takes of the reference."""
    target: float

    @property
    def of(self) -> str:
        """What ratios are ratios of."""
        return f"of {self.pairs_each} + {self.pairs_each}"


VIRTUAL: Final = Case("virtual", 8, 0.35)


def stretches(
    case: Case, rounds: _Rounds, channels: list[ChannelId], seconds: float, pairs: int
) -> tuple[Figure, ...]:
    """Some stretches of rounds, the reference between them, and the medians."""
    ratios, cpu_ratios, rates, costs, references = [], [], [], [], []
    rounds.run(channels, min(seconds / SLICES, 0.3))
    rounds.latencies = []
    before = reference.measure(pairs)
    for _ in range(SLICES):
        count, taken, cpu = rounds.run(channels, seconds / SLICES)
        after = reference.measure(pairs)
        wall = (before.wall + after.wall) / 2 * case.pairs_each / 1e6
        own = (before.cpu + after.cpu) / 2 * case.pairs_each / 1e6
        before = after
        ratios.append(wall * count / taken)
        cpu_ratios.append(own * count / cpu)
        rates.append(count / taken)
        costs.append(cpu / count * 1e6)
        references.append(wall * 1e6)
    latencies = sorted(rounds.latencies)
    return (
        Figure("ratio", median(ratios), case.of, at_least=case.target),
        Figure("cpu ratio", median(cpu_ratios), case.of),
        Figure("rate", median(rates), "/s"),
        Figure("cpu", median(costs), "µs"),
        Figure("reference", median(references), "µs"),
        Figure("p50", percentile(latencies, 0.5) * 1e3, "ms"),
        Figure("p99", percentile(latencies, 0.99) * 1e3, "ms"),
    )


def _measure(
    case: Case,
    title: str,
    stage: Stage,
    rounds: _Rounds,
    channels: list[ChannelId],
    seconds: float,
    pairs: int,
    more: Callable[[], tuple[Figure, ...]],
) -> Result:
    with stage.playing():
        measured = stretches(case, rounds, channels, seconds, pairs)
        figures = more()
    return Result(case.name, title, (*measured, Figure(case.name, rounds.finished), *figures))


def updates(folder: Path, seconds: float = 4.0, channels: int = 200, pairs: int = 2_000) -> Result:
    """Transfers by new states: proposed, countersigned, complete at both sides."""
    stage = Stage(folder)
    alice, bob = stage.player("alice"), stage.player("bob")
    ids = stage.channels(alice, bob, [ETH], channels)
    rounds = _Updates(stage, alice)
    before = [player.signer.signatures for player in stage.players]
    title = f"Updates of a channel, two nodes, {channels} channels"

    def more() -> tuple[Figure, ...]:
        signed = [
            player.signer.signatures - then
            for player, then in zip(stage.players, before, strict=True)
        ]
        nets = sum(
            view.agreed.state.net
            for view in bob.node.books.channels.values()
            if view.agreed is not None
        )
        return (
            Figure("signed by payer", signed[0]),
            Figure("signed by payee", signed[1]),
            Figure("moved in states of payee", nets),
        )

    return _measure(Case("updates", 2, 0.35), title, stage, rounds, ids, seconds, pairs, more)


def assets_of(channels: int) -> tuple[Asset, ...]:
    """As many assets as channels, so that it is known which channel with the hub an end takes."""
    return tuple(Asset(Address(index.to_bytes(20, "big"))) for index in range(1, channels + 1))


def enter(stage: Stage, name: str, assets: tuple[Asset, ...]) -> Player:
    """One of `NAMES`."""
    return stage.player(name, hub=name == NAMES[-1], assets=assets)


def over_a_hub(folder: Path, assets: tuple[Asset, ...]) -> tuple[Stage, list[ChannelId]]:
    """Two ends and a hub, in the order of `NAMES`, and Alice's channels with the hub."""
    stage = Stage(folder)
    alice, bob, ingrid = (enter(stage, name, assets) for name in NAMES)
    ids = stage.channels(alice, ingrid, assets)
    stage.channels(bob, ingrid, assets)
    return stage, ids


def virtual(folder: Path, seconds: float = 5.0, channels: int = 64, pairs: int = 2_000) -> Result:
    """Virtual channels over one hub: opened until both ends are ready, then closed by both.

    64 invitations of a peer may wait at a time.
    """
    stage, ids = over_a_hub(folder, assets_of(channels))
    alice, bob, ingrid = stage.players
    rounds = VirtualRounds(stage, alice, bob, bob.peer)
    before = sum(player.signer.signatures for player in stage.players)
    title = f"Virtual channels opened and closed, three nodes, {channels} pairs of channels"

    def more() -> tuple[Figure, ...]:
        signed = sum(player.signer.signatures for player in stage.players) - before
        return (
            Figure("signatures each", signed / rounds.finished),
            Figure("still listed by the hub", ingrid.listed()),
        )

    return _measure(VIRTUAL, title, stage, rounds, ids, seconds, pairs, more)
