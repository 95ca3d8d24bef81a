"""What a node keeps: how long it takes to come back, how much memory and disk it needs.

A large store is made of a small one: the records of one channel that was really opened, paid in and
signed, copied under other ids with a peer that is not there. A restart reads and follows them like
any others.
"""

from __future__ import annotations

import gc
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from benchmarks.load import Payments
from benchmarks.players import Player, Stage, totals_on_disk, wait
from benchmarks.report import Figure, Result
from perun.core.books import Row
from perun.core.inputs import CommandPay
from perun.core.notices import Notice, PaymentDelivered
from perun.core.starting import watches
from perun.crypto import keccak
from perun.encoding import channel_id, machine_id
from perun.node.recovery import open_books
from perun.store import MemoryStore
from perun.types import ETH, InstanceId, Machine, MachineId, Nonce, Salt, Wei

__all__ = ["disk", "memory", "restart"]

_NOBODY = b"\x02" + bytes(32)


def _copies(player: Player, channels: int, machines: int) -> Iterator[Row]:
    """The player's first channel and its machines, again and again under other ids."""
    books = player.node.books
    view = next(iter(books.channels.values()))
    assert view.agreed is not None
    deployment = books.config.deployment
    originals = [books.instances[nano.id] for nano in view.agreed.state.nanos[:machines]]
    for number in range(channels):
        salt = number.to_bytes(8, "big")
        nonce = Nonce(int.from_bytes(keccak(b"channel" + salt)[:8], "big"))
        channel = replace(view.channel, nonce=nonce)
        id = channel_id(deployment.contract, channel)
        nanos = []
        for index, instance in enumerate(originals):
            assert isinstance(instance.terms, Machine)
            terms = replace(instance.terms, salt=Salt(keccak(b"machine" + salt + bytes((index,)))))
            own = machine_id(deployment.vpm, terms)
            legs = (replace(instance.legs[0], channel=id),)
            yield replace(instance, id=InstanceId(own), terms=terms, legs=legs, end=_NOBODY)
            yield replace(books.totals[instance.id], machine=own)
            nano = next(nano for nano in view.agreed.state.nanos if nano.id == instance.id)
            nanos.append(replace(nano, id=own))
        listed = tuple(sorted(nanos, key=lambda nano: nano.id))
        state = replace(view.agreed.state, channel=id, nanos=listed)
        agreed = replace(view.agreed, state=state)
        yield replace(view, id=id, channel=channel, peer=_NOBODY, agreed=agreed)


def _small(folder: Path, machines: int) -> tuple[Stage, Player, Player, list[InstanceId]]:
    """Two nodes, a channel, and machines that have been paid in."""
    stage = Stage(folder)
    alice, bob = stage.player("alice"), stage.player("bob")
    (channel,) = stage.channels(alice, bob, [ETH])
    ids = stage.machines(alice, bob, [channel] * machines)
    alice.do(CommandPay(MachineId(id), Wei(1)) for id in ids)
    stage.settle(lambda: sum(totals.received for totals in bob.node.books.totals.values()) > 0)
    return stage, alice, bob, ids


def restart(folder: Path, channels: int = 1_000, machines: int = 10) -> Result:
    """A node comes back: from opening its store to the first payment that is delivered."""
    _, alice, bob, ids = _small(folder, machines)
    alice.store.write(list(_copies(alice, channels - 1, machines)))
    known = (len(alice.node.books.channels) + channels - 1, channels * machines)
    bob.start()
    alice.stop()
    size = alice.path.stat().st_size
    paid = threading.Event()

    def hear(notice: Notice) -> None:
        if isinstance(notice, PaymentDelivered) and notice.total == Wei(2):
            paid.set()

    alice.hear = hear
    start = time.perf_counter()
    alice.boot()
    opened = time.perf_counter()
    alice.node.start()
    # As an `Assembly` does: nothing counts before the chain has told of it.
    for watch in watches(alice.node.books):
        alice.chain.watch(watch)
    alice.start()
    view = next(view for view in alice.node.books.channels.values() if view.peer == bob.peer)
    alice.node.meet(bob.peer)
    while not alice.node.books.channels[view.id].met:
        time.sleep(0.001)
    alice.do((CommandPay(MachineId(ids[0]), Wei(1)),))
    wait(paid, (alice, bob))
    first = time.perf_counter()
    books = alice.node.books
    found = (len(books.channels), len(books.instances))
    for player in (alice, bob):
        player.stop()
        player.check()
    if found != known:
        raise AssertionError(f"{found} came back of {known}")
    return Result(
        "restart",
        f"Restart with {channels:,} channels and {channels * machines:,} machines",
        (
            Figure("store read", opened - start, "s"),
            Figure("first payment delivered", first - start, "s"),
            Figure("channels", found[0]),
            Figure("machines", found[1]),
            Figure("store", size / 1e6, "MB"),
        ),
    )


def memory(folder: Path, channels: int = 1_000) -> Result:
    """Python's memory for channels at rest, without and with one machine in each."""
    _, alice, bob, _ = _small(folder, 1)
    config = alice.node.books.config
    figures = []
    for machines, name in ((0, "an idle channel"), (1, "an idle channel with one machine")):
        store = MemoryStore()
        store.write(list(_copies(alice, channels, machines)))
        gc.collect()
        tracemalloc.start()
        books = open_books(config, store)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        if len(books.channels) != channels or len(books.instances) != channels * machines:
            raise AssertionError("not all of it is in memory")
        figures.append(Figure(name, used / channels, "bytes"))
        on_disk = sum(len(body) for body in store._rows.values())
        figures.append(Figure(f"{name}, row bodies on disk", on_disk / channels, "bytes"))
    for player in (alice, bob):
        player.stop()
    return Result("memory", f"Memory of {channels:,} channels at rest", tuple(figures))


def disk(folder: Path, seconds: float = 4.0, channels: int = 100) -> Result:
    """What payments leave behind on disk: each overwrites the row of its machine."""
    stage = Stage(folder)
    alice, bob = stage.player("alice"), stage.player("bob")
    ids = stage.channels(alice, bob, [ETH], channels)
    load = Payments(alice, bob, stage.machines(alice, bob, ids))
    sizes, logs, counts = [], [], []
    with stage.playing():
        for share in (0.25, 0.75):
            load.run(seconds * share, channels)
            logs.append(sum(_log(player) for player in stage.players))
            for player in stage.players:
                _empty_log(player)
            sizes.append(sum(player.path.stat().st_size for player in stage.players))
            counts.append(load.delivered)
    sent, received = totals_on_disk(alice.path)[0], totals_on_disk(bob.path)[1]
    more = counts[1] - counts[0]
    return Result(
        "disk",
        f"Bytes on disk of both nodes together, {channels} channels",
        (
            Figure("stores after first payments", sizes[0], "bytes"),
            Figure("stores after all payments", sizes[1], "bytes"),
            Figure("growth per million payments", (sizes[1] - sizes[0]) / more * 1e6, "bytes"),
            Figure("greatest log while running", max(logs) / 1e6, "MB"),
            Figure("payments between", more),
            Figure("payments", counts[1]),
            Figure("on disk of payer", sent),
            Figure("on disk of payee", received),
        ),
    )


def _log(player: Player) -> int:
    path = player.path.with_name(player.path.name + "-wal")
    return path.stat().st_size if path.exists() else 0


def _empty_log(player: Player) -> None:
    """Has SQLite move its log into the file, from a connection of our own."""
    db = sqlite3.connect(player.path)
    try:
        blocked = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        db.close()
    if blocked:
        raise AssertionError("the log is still in use")
