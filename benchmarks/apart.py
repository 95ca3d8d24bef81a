"""Virtual channels with each node in a process of its own, as they run in earnest.

In `states` three nodes share one interpreter's lock. Here only bytes pass between them, through
pipes, or in `afar` through sockets and sessions, those of the ends over the hub's relay; each has
its own copy of a ledger on which nothing happens meanwhile, and the store that it made before.
Alice's process begins each virtual channel, and measures.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.players import PATIENCE_SECONDS, Player, Stage
from benchmarks.processes import HELLO, ROOM, Sockets
from benchmarks.report import Figure, Result
from benchmarks.states import (
    NAMES,
    VIRTUAL,
    VirtualRounds,
    assets_of,
    enter,
    over_a_hub,
    stretches,
)
from perun.core.notices import InstanceRemoved, Notice
from perun.core.state import PeerId
from perun.crypto import SecretKey, keccak
from perun.testing.ledger import Ledger
from perun.types import Asset, ChannelId
from perun.wire.listener import Listener
from perun.wire.local import LocalNetwork
from perun.wire.web import WebWire

__all__ = ["afar", "apart"]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode


class _Pipes(LocalNetwork):
    """A network whose other ends are in other processes."""

    def __init__(self, ends: dict[PeerId, Connection]) -> None:
        super().__init__()
        self._ends = ends

    def deliver(self, sender: PeerId, receiver: PeerId, frames: Sequence[bytes]) -> None:
        """Sends frames, or hands over those that came."""
        end = self._ends.get(receiver)
        if end is None:
            super().deliver(sender, receiver, frames)
        else:
            end.send_bytes(_pack(frames))

    def listen(self, own: PeerId) -> None:
        """From now on takes what comes, on a thread for each end."""
        for peer, end in self._ends.items():
            threading.Thread(target=self._read, args=(own, peer, end), daemon=True).start()

    def _read(self, own: PeerId, peer: PeerId, end: Connection) -> None:
        with suppress(EOFError, OSError):
            while True:
                self.deliver(peer, own, _unpack(end.recv_bytes()))


@dataclass(frozen=True, slots=True)
class _Start:
    """What a process is told."""

    folder: Path
    name: str
    assets: tuple[Asset, ...]
    ledger: Ledger
    ends: dict[PeerId, Connection] | None
    """Pipes to the others; None: they meet at the hub's listener."""
    channels: list[ChannelId]
    bob: PeerId
    seconds: float
    pairs: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What it tells in the end."""

    signatures: int
    commits: int
    cpu: float
    removed: int
    listed: int
    faults: list[str]
    figures: tuple[Figure, ...] = field(default=())


def apart(folder: Path, seconds: float = 5.0, channels: int = 64, pairs: int = 2_000) -> Result:
    """Virtual channels over one hub, three processes; otherwise as `states.virtual`."""
    return _apart(folder, seconds, channels, pairs, afar=False)


def afar(folder: Path, seconds: float = 5.0, channels: int = 64, pairs: int = 2_000) -> Result:
    """The same, over real sockets."""
    return _apart(folder, seconds, channels, pairs, afar=True)


def _apart(folder: Path, seconds: float, channels: int, pairs: int, *, afar: bool) -> Result:
    assets = assets_of(channels)
    stage, ids = over_a_hub(folder, assets)
    alice, bob, ingrid = stage.players
    for player in stage.players:
        player.stop()
    context = multiprocessing.get_context("spawn")
    first, second, direct = context.Pipe(), context.Pipe(), context.Pipe()
    ends = (
        {ingrid.peer: first[0], bob.peer: direct[0]},
        {ingrid.peer: second[0], alice.peer: direct[1]},
        {alice.peer: first[1], bob.peer: second[1]},
    )
    told = [context.Pipe() for _ in NAMES]
    processes = []
    for name, mine, (_, theirs) in zip(NAMES, ends, told, strict=True):
        ways = None if afar else mine
        start = _Start(folder, name, assets, stage.ledger, ways, ids, bob.peer, seconds, pairs)
        processes.append(context.Process(target=_live, args=(start, theirs), daemon=True))
    try:
        for process in processes:
            process.start()
        if afar:
            host = _hear(told[-1][0])
            for ours, _ in told[:-1]:
                ours.send((ingrid.peer, host))
        for ours, _ in told:
            _hear(ours)  # It is there.
        told[0][0].send(True)
        _hear(told[0][0])  # Alice is done.
        for ours, _ in told:
            ours.send(True)
        found = [_hear(ours) for ours, _ in told]
        for process in processes:
            process.join(PATIENCE_SECONDS)
    finally:
        for process in processes:
            process.kill()
    return _result("afar" if afar else "apart", found, channels)


def _hear(end: Connection) -> Any:
    if not end.poll(PATIENCE_SECONDS):
        raise AssertionError("a process does not answer")
    return end.recv()


def _result(name: str, found: list[_Found], channels: int) -> Result:
    faults = [fault for one in found for fault in one.faults]
    if faults:
        raise AssertionError(f"{len(faults)} refusals: {faults[0]}")
    alice, bob, ingrid = found
    signatures = sum(one.signatures for one in found)
    return Result(
        name,
        f"Virtual channels, three nodes in three processes, {channels} pairs of channels"
        + (", over sockets" if name == "afar" else ""),
        (
            *alice.figures,
            Figure("cpu", sum(one.cpu for one in found) / alice.removed * 1e6, "µs"),
            Figure("virtual", alice.removed),
            Figure("closed by the other end", bob.removed),
            Figure("signatures each", signatures / alice.removed),
            Figure("still listed by the hub", ingrid.listed),
            Figure("commits", sum(one.commits for one in found)),
        ),
    )


# ------------------------------------------------------------------------------- in its process


def _live(start: _Start, control: Connection) -> None:
    """One node's process, from its store to what it has seen."""
    stage = Stage(start.folder)
    stage.ledger = start.ledger
    if start.ends is None:
        player = _dialling(stage, start, control)
    else:
        stage.network = network = _Pipes(start.ends)
        player = enter(stage, start.name, start.assets)
        network.listen(player.peer)
        player.node.start()
        player.start()
        for peer in start.ends:
            player.node.meet(peer)
    # Alice's process measures, and hears by itself; the others only count.
    rounds = VirtualRounds(stage, player, None, start.bob) if start.name == "alice" else None
    removed = _counting(player) if rounds is None else []
    while player.node.busy or not all(view.met for view in player.node.books.channels.values()):
        time.sleep(0.01)
    signed, cpu = player.signer.signatures, time.process_time()
    control.send(True)
    figures: tuple[Figure, ...] = ()
    if rounds is not None:
        control.recv()
        measured = stretches(VIRTUAL, rounds, start.channels, start.seconds, start.pairs)
        # What the three take of the processor is added up in the end.
        figures = tuple(figure for figure in measured if not figure.name.startswith("cpu"))
        control.send(True)
    control.recv()
    while player.node.busy:
        time.sleep(0.01)
    cpu = time.process_time() - cpu
    listed = player.listed()
    faults = [f"{start.name}: {error}" for _, error in player.faults]
    signatures = player.signer.signatures - signed
    commits = player.store.commits
    player.stop()
    closed = len(removed) if rounds is None else rounds.finished
    control.send(_Found(signatures, commits, cpu, closed, listed, faults, figures))


def _dialling(stage: Stage, start: _Start, control: Connection) -> Player:
    """The node on sockets: the hub listens, and the ends attach there."""
    key = SecretKey(keccak(b"perun benchmark key of " + start.name.encode()))
    is_hub = start.name == NAMES[-1]
    listener = Listener("127.0.0.1", 0, limits=ROOM) if is_hub else None
    wire = WebWire(key, HELLO, listener=listener, admits=lambda _peer, _token: True)
    stage.network = Sockets(wire)
    player = enter(stage, start.name, start.assets)
    player.node.start()
    player.start()
    if listener is not None:
        control.send(listener.host)
    else:
        wire.reach(*control.recv())
    return player


def _counting(player: Player) -> list[Notice]:
    removed: list[Notice] = []

    def hear(notice: Notice) -> None:
        if type(notice) is InstanceRemoved:
            removed.append(notice)

    player.hear = hear
    return removed
