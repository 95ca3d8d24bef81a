"""Money in and out while both agree: deposits, openings, withdrawals, closes, credit."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import ETH_NAME, TOKEN_NAME, row
from benchmarks.gas.scene import Scene
from perun.testing.owners import Owner

LIVES = "Whole lives"
MONEY_IN = "Money in"
MONEY_OUT = "Money out"
BOTH_ASSETS = (ETH_NAME, TOKEN_NAME)

NET = 3 * ETHER // 10


@row(
    "happy",
    LIVES,
    "Happy life",
    "Two deposits of 1, closed at 0.7 and 1.3 by Alice with Bob's signature.",
    BOTH_ASSETS,
)
def happy(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.channel()
    scene.measure("deposit by Alice", channel.deposit(alice), alice)
    scene.measure("deposit by Bob", channel.deposit(bob), bob)
    scene.measure("close by Alice", channel.close(NET, (bob,)), alice)


@row("hub-happy", LIVES, "Happy life with a hub", "Opened by one transaction, closed by one.")
def hub_happy(scene: Scene) -> None:
    alice, till = scene.bench.alice, scene.bench.owner("till")
    scene.fund(till, 10 * ETHER)(scene.bench.ingrid)
    channel = scene.channel(alice, till)
    scene.measure("openBoth by Alice", channel.open_both(), alice)
    scene.measure("close, hub into its credit", channel.close(NET, (till,), to_credit=2), alice)


@row("deposit", MONEY_IN, "deposit", "Tokens are approved without limit.", BOTH_ASSETS)
def deposit(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.channel()
    scene.measure("first, into a new slot", channel.deposit(alice), alice)
    scene.measure("the other side's", channel.deposit(bob), bob)
    scene.measure("a later one", channel.deposit(alice), alice)


@row("open", MONEY_IN, "open", "A deposit that announces the channel in a log.", BOTH_ASSETS)
def open_(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.channel()
    scene.measure("first, into a new slot", channel.open(), alice)
    scene.measure("by the other side", channel.open(), bob)


@row(
    "open-both",
    MONEY_IN,
    "openBoth",
    "Alice pays her share, the hub's comes from its credit by its signature. "
    "Some of the credit is left.",
    BOTH_ASSETS,
)
def open_both(scene: Scene) -> None:
    alice, till = scene.bench.alice, scene.bench.owner("till")
    scene.fund(till, 10 * ETHER)(scene.bench.ingrid)
    scene.measure("from a new slot", scene.channel(alice, till).open_both(), alice)


@row(
    "open-both-last", MONEY_IN, "openBoth, last credit", "The same with nothing left of the credit."
)
def open_both_last(scene: Scene) -> None:
    alice, till = scene.bench.alice, scene.bench.owner("till")
    scene.fund(till, ETHER)(scene.bench.ingrid)
    scene.measure("from a new slot", scene.channel(alice, till).open_both(), alice)


@row("fund", MONEY_IN, "fund", "Gives an account credit.", BOTH_ASSETS)
def fund(scene: Scene) -> None:
    ingrid = scene.bench.ingrid
    scene.measure("first", scene.fund(ingrid, ETHER), ingrid)
    scene.measure("a later one", scene.fund(ingrid, ETHER), ingrid)


@row(
    "close",
    MONEY_OUT,
    "close by a party",
    "One signature, pays both. In each of these rows the channel holds 1 and 1.",
    BOTH_ASSETS,
)
def close(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    scene.measure("by Alice, 65 bytes", scene.open_channel().close(NET, (bob,)), alice)
    short = scene.open_channel().close(NET, (bob,), compact=True)
    scene.measure("by Alice, 64 bytes (EIP-2098)", short, alice)
    scene.measure("by Bob, 65 bytes", scene.open_channel().close(NET, (alice,)), bob)


@row("close-third", MONEY_OUT, "close by anyone", "Two signatures, pays both.", BOTH_ASSETS)
def close_third(scene: Scene) -> None:
    bench = scene.bench
    channel = scene.open_channel()
    everybody = (bench.alice, bench.bob)
    scene.measure("by a stranger", channel.close(NET, everybody), bench.stranger)


@row(
    "close-own",
    MONEY_OUT,
    "close with signatures that could be spared",
    "Both signatures by a party; and a party's key as the sender.",
)
def close_own(scene: Scene) -> None:
    bench, alice, bob = scene.bench, scene.bench.alice, scene.bench.bob
    both = scene.open_channel().close(NET, (alice, bob))
    scene.measure("by Alice, both signatures", both, alice)
    key = Owner("alice's key", alice.key.address, alice.key, alice.key)
    bench.pay(key.account, ETHER)(bench.stranger)
    scene.measure("by Alice's key, Bob's signature", scene.open_channel().close(NET, (bob,)), key)


@row("close-one", MONEY_OUT, "close that pays one", "All of the money is Bob's, or Alice's.")
def close_one(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    to_other = scene.open_channel().close(ETHER, (bob,))
    scene.measure("by Alice, all to Bob", to_other, alice)
    to_self = scene.open_channel().close(-ETHER, (bob,))
    scene.measure("by Alice, all to Alice", to_self, alice)


@row("close-credit", MONEY_OUT, "close into credit", "Bob is paid into his credit, or both are.")
def close_credit(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    first = scene.open_channel().close(NET, (bob,), to_credit=2)
    scene.measure("Bob's first credit", first, alice)
    later = scene.open_channel().close(NET, (bob,), to_credit=2)
    scene.measure("Bob has credit", later, alice)
    scene.fund(alice, ETHER)(alice)
    both = scene.open_channel().close(NET, (bob,), to_credit=3)
    scene.measure("both have credit", both, alice)


@row("close-disputed", MONEY_OUT, "close in a dispute", "Before the deadline; clears both slots.")
def close_disputed(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    channel.register(4, NET, (bob,))(alice)
    scene.measure("by Alice", channel.close(NET, (bob,)), alice)


@row("withdraw", MONEY_OUT, "withdraw", "From the open channel.", BOTH_ASSETS)
def withdraw(scene: Scene) -> None:
    bench, alice, bob = scene.bench, scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    one = channel.withdraw(0, (ETHER // 10, 0), (bob,))
    scene.measure("first, by Alice, pays Alice", one, alice)
    both = channel.withdraw(1, (ETHER // 10, ETHER // 10), (bob,))
    scene.measure("later, by Alice, pays both", both, alice)
    third = channel.withdraw(2, (ETHER // 10, ETHER // 10), (alice, bob))
    scene.measure("by a stranger, two signatures, pays both", third, bench.stranger)


@row("claim", MONEY_OUT, "claim", "Takes credit out.", BOTH_ASSETS)
def claim(scene: Scene) -> None:
    bench, ingrid = scene.bench, scene.bench.ingrid
    scene.fund(ingrid, 2 * ETHER)(ingrid)
    for label, to in (
        ("some of it, to another account", bench.bob),
        ("the rest, to itself", ingrid),
    ):
        call = bench.call("MSContract", "claim", scene.asset, ETHER, to.account)
        scene.measure(label, call, ingrid)
