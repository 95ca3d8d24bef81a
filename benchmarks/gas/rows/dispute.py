"""Disputes of plain channels: opened, answered, settled, one by one and in batches."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.agreement import BOTH_ASSETS, LIVES, NET
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import CHALLENGE, Basic, Scene

DISPUTES = "Disputes"
COUNTERED = 4 * ETHER // 10
AFTER = CHALLENGE + 400
"""Seconds after which a dispute is over."""


@row(
    "countered",
    LIVES,
    "Countered dispute",
    "Alice registers an older state, Bob answers with a newer one, 0.6 and 1.4 are paid.",
    BOTH_ASSETS,
)
def countered(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    scene.measure("register by Alice", channel.register(4, NET, (bob,)), alice)
    scene.measure("newer register by Bob", channel.register(6, COUNTERED, (alice,)), bob)
    scene.bench.later(AFTER)
    scene.measure("settle", channel.settle(COUNTERED), alice)


@row(
    "silent",
    LIVES,
    "Silent dispute",
    "Alice registers, nobody answers, both are paid.",
    BOTH_ASSETS,
)
def silent(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    scene.measure("register by Alice", channel.register(4, NET, (bob,)), alice)
    scene.bench.later(AFTER)
    scene.measure("settle", channel.settle(NET), alice)


@row("refund", LIVES, "Refund", "Only Alice has deposited; nothing was ever signed.", BOTH_ASSETS)
def refund(scene: Scene) -> None:
    alice = scene.bench.alice
    channel = scene.channel()
    channel.deposit(alice)(alice)
    scene.measure("register of version 0", channel.register(0, 0, ()), alice)
    scene.bench.later(AFTER)
    scene.measure("settle", channel.settle(0), alice)


@row("register", DISPUTES, "register", "States without nanos.")
def register(scene: Scene) -> None:
    bench, alice, bob = scene.bench, scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    both = (alice, bob)
    scene.measure("first, by a party", channel.register(4, NET, (bob,)), alice)
    scene.measure("newer, by a party", channel.register(6, NET, (alice,)), bob)
    scene.measure("newer, by a stranger", channel.register(8, NET, both), bench.stranger)
    scene.measure("older, changes nothing", channel.register(6, NET, (alice,)), bob)


@row(
    "settle-third",
    DISPUTES,
    "settle by a stranger",
    "Pays both; neither is the caller.",
    BOTH_ASSETS,
)
def settle_third(scene: Scene) -> None:
    channel = _disputed(scene.open_channel())
    scene.bench.later(AFTER)
    scene.measure("by a stranger", channel.settle(NET), scene.bench.stranger)


def _disputed(channel: Basic) -> Basic:
    channel.register(4, NET, (channel.bob,))(channel.alice)
    return channel


def _batch(scene: Scene, count: int) -> list[Basic]:
    """Disputed channels of the hub with as many different users, whose accounts exist."""
    ingrid = scene.bench.ingrid
    channels = []
    for number in range(count):
        user = scene.bench.owner(f"user {number}")
        scene.bench.pay(user.account, ETHER)(ingrid)
        channel = scene.channel(ingrid, user)
        channel.deposit(ingrid)(ingrid)
        channel.deposit(user)(ingrid)
        channels.append(_disputed(channel))
    scene.bench.later(AFTER)
    return channels


@row(
    "settle-many",
    DISPUTES,
    "settleMany",
    "The hub settles channels with different users; each item pays both.",
)
def settle_many(scene: Scene) -> None:
    bench = scene.bench
    channels = _batch(scene, 11)
    items = [channel.settlement(NET) for channel in channels]
    one = bench.call("MSContract", "settleMany", items[:1])
    scene.measure("of 1", one, bench.ingrid)
    ten = bench.call("MSContract", "settleMany", items[1:])
    scene.measure("of 10", ten, bench.ingrid)
    scene.measure("of 10 that are settled already", ten, bench.ingrid)
