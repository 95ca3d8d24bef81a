"""Disputes with payment machines, within one channel and across a hub, and machines alone."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.agreement import BOTH_ASSETS, LIVES
from benchmarks.gas.rows.dispute import AFTER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Payments, Scene, in_order

NANOS = "Disputes with nanos"
MACHINES = "VPM"

NET = ETHER // 10
PAID_BY_ALICE, PAID_BY_BOB = 3 * ETHER // 10, ETHER // 10
MOST_NANOS = 64


@row(
    "payment-carried",
    LIVES,
    "Payment dispute, statements carried",
    "One machine with locks of 0.5; Alice has paid 0.3 in it, Bob 0.1. `register` hands both "
    "statements to VPM; `settle` pays what they say.",
    BOTH_ASSETS,
)
def payment_carried(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel, machine = scene.open_channel(), scene.machine()
    nanos = (machine.nano,)
    evidence = (machine.evidence(PAID_BY_ALICE, PAID_BY_BOB),)
    call = channel.register(4, NET, (bob,), nanos, evidence)
    scene.measure("register with both statements", call, alice)
    scene.bench.later(AFTER)
    scene.measure("settle", channel.settle(NET, nanos), alice)


@row(
    "payment-separate",
    LIVES,
    "Payment dispute, statements apart",
    "The same; each side submits the statement it holds by itself.",
)
def payment_separate(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel, machine = scene.open_channel(), scene.machine()
    nanos = (machine.nano,)
    scene.measure("register", channel.register(4, NET, (bob,), nanos), alice)
    scene.measure("submitStatements by Alice", machine.submit_statements(0, PAID_BY_BOB), alice)
    scene.measure("submitStatements by Bob", machine.submit_statements(PAID_BY_ALICE, 0), bob)
    scene.bench.later(AFTER)
    scene.measure("settle", channel.settle(NET, nanos), alice)


@row(
    "hub",
    LIVES,
    "Virtual channel decided on chain",
    "One machine over the ends' own keys, locked in Alice's and in Bob's channel with Ingrid. Bob "
    "carries Alice's statement, Alice sends Bob's, both channels are settled.",
)
def hub(scene: Scene) -> None:
    bench = scene.bench
    alice, bob, ingrid = bench.alice, bench.bob, bench.ingrid
    machine = scene.machine(
        alice=bench.secret("hub machine alice"), bob=bench.secret("hub machine bob")
    )
    left, right = scene.open_channel(alice, ingrid), scene.open_channel(ingrid, bob)
    nanos = (machine.nano,)
    evidence = (machine.evidence(PAID_BY_ALICE, 0),)
    call = right.register(4, NET, (ingrid,), nanos, evidence)
    scene.measure("register by Bob with Alice's statement", call, bob)
    scene.measure("submitStatements by Alice", machine.submit_statements(0, PAID_BY_BOB), alice)
    scene.measure("register by Alice", left.register(4, NET, (ingrid,), nanos), alice)
    bench.later(AFTER)
    scene.measure("settle by Alice", left.settle(NET, nanos), alice)
    scene.measure("settle by Bob", right.settle(NET, nanos), bob)


@row(
    "still-locked",
    NANOS,
    "One nano still locked",
    "The free money is paid at once; after the nano's expiry the rest.",
)
def still_locked(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel, machine = scene.open_channel(), scene.machine()
    nanos = (machine.nano,)
    channel.register(4, NET, (bob,), nanos)(alice)
    scene.bench.later(AFTER)
    scene.measure("first settle, pays free money", channel.settle(NET, nanos), alice)
    scene.measure("settle that finds nothing new", channel.settle(0, nanos), alice)
    scene.bench.later(machine.final_time - scene.bench.now)
    scene.measure("last settle, after expiry", channel.settle(0, nanos), alice)


def _many(scene: Scene) -> list[Payments]:
    return in_order([scene.machine(lock=ETHER // 100) for _ in range(MOST_NANOS)])


@row(
    "evidence-later",
    NANOS,
    "Evidence with a version already registered",
    "`register` changes nothing and still passes the other side's statement on.",
)
def evidence_later(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel, machine = scene.open_channel(), scene.machine()
    nanos = (machine.nano,)
    first, second = machine.evidence(0, PAID_BY_BOB), machine.evidence(PAID_BY_ALICE, 0)
    channel.register(4, NET, (bob,), nanos, (first,))(alice)
    again = channel.register(4, NET, (alice,), nanos, (second,))
    scene.measure("register by Bob with Alice's statement", again, bob)


@row("many-open", NANOS, "64 nanos, nobody submits", "The most a state may list; all still locked.")
def many_open(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel = scene.open_channel()
    nanos = tuple(machine.nano for machine in _many(scene))
    scene.measure("register of 64", channel.register(4, NET, (bob,), nanos), alice)
    scene.bench.later(AFTER)
    scene.measure("settle, 64 still locked", channel.settle(NET, nanos), alice)


@row("many-done", NANOS, "64 nanos, all submitted", "Each with both statements carried.")
def many_done(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    channel, machines = scene.open_channel(), _many(scene)
    nanos = tuple(machine.nano for machine in machines)
    evidence = tuple(machine.evidence(3 * 10**15, 10**15) for machine in machines)
    call = channel.register(4, NET, (bob,), nanos, evidence)
    scene.measure("register of 64 with 128 statements", call, alice)
    scene.bench.later(AFTER)
    scene.measure("settle, 64 resolved", channel.settle(NET, nanos), alice)


@row("submit-statements", MACHINES, "submitStatements", "Called directly.")
def submit_statements(scene: Scene) -> None:
    alice, bob = scene.bench.alice, scene.bench.bob
    first = scene.machine()
    both = first.submit_statements(PAID_BY_ALICE, PAID_BY_BOB)
    scene.measure("first, both totals", both, alice)
    scene.measure("raises nothing", both, bob)
    second = scene.machine()
    scene.measure("first, one total", second.submit_statements(0, PAID_BY_BOB), alice)
    scene.measure("later, the other total", second.submit_statements(PAID_BY_ALICE, 0), bob)


@row("submit", MACHINES, "submit", "The same as encoded evidence.")
def submit(scene: Scene) -> None:
    call = scene.machine().submit(PAID_BY_ALICE, PAID_BY_BOB)
    scene.measure("first, both totals", call, scene.bench.alice)
