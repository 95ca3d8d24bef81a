"""Each property notices when it does not hold; the games show that it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perun.crypto import SecretKey, keccak, sign
from perun.encoding import state_digest
from perun.spec import Contracts, Funds, Payout, Resolved
from perun.spec.properties import (
    Promise,
    Role,
    Snapshot,
    Violated,
    balance_security,
    conservation,
    guaranteed_closing,
    hub_neutrality,
    isolation,
    no_race,
    nothing_unsigned,
)
from perun.spec.reverts import Refused, TooLate
from perun.types import (
    ETH,
    Address,
    ChainId,
    Channel,
    InstanceId,
    Nano,
    Nonce,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)

ALICE, BOB = SecretKey(keccak(b"alice")), SecretKey(keccak(b"bob"))
MS, VPM, LOCKS = (Address(bytes([number]) * 20) for number in (1, 2, 3))
APP = Address(b"\4" * 20)
LATE = UnixTime(10_000)
CHANNEL = Channel(
    ALICE.address, BOB.address, ALICE.address, BOB.address, ETH, Seconds(100), Nonce(1)
)


def nano(alice_lock: int = 3, bob_lock: int = 3, swapped: bool = False) -> Nano:
    return Nano(APP, InstanceId(b"\7" * 32), Wei(alice_lock), Wei(bob_lock), UnixTime(500), swapped)


@pytest.fixture
def world() -> Contracts:
    """Alice and Bob have put in 10 each; it is the 100th second."""
    world = Contracts.at(ChainId(1), {"MSContract": MS, "VPM": VPM, "HashTimeLock": LOCKS})
    world.host.now = 100
    world.host.eth = {ALICE.address: 1000, BOB.address: 1000}
    for key in (ALICE, BOB):
        world.call(lambda who=key: world.ms_contract.open(who.address, 10, CHANNEL, Wei(10), LATE))
    return world


def register(world: Contracts, version: int, net: int, nanos: tuple[Nano, ...] = ()) -> None:
    ms = world.ms_contract
    state = State(ms.channel_id(CHANNEL), Version(version), Wei(net), nanos)
    digest = state_digest(ms.domain, state)
    signatures = (sign(digest, ALICE), sign(digest, BOB)) if version else (b"", b"")
    ms.register(ALICE.address, CHANNEL, Version(version), Wei(net), nanos, *signatures, ())  # type: ignore[arg-type]


def payout(world: Contracts, **changes: object) -> Payout:
    ended = Payout(CHANNEL, Funds(10, 10), 4, (), (), 6, 14, Version(2), False)
    return replace(ended, **changes)  # type: ignore[arg-type]


def test_refused_call_changes_nothing(world: Contracts) -> None:
    before = Snapshot.of(world.ms_contract)
    with pytest.raises(TooLate):
        world.call(lambda: world.ms_contract.open(ALICE.address, 5, CHANNEL, Wei(5), UnixTime(99)))
    assert Snapshot.of(world.ms_contract) == before
    assert world.host.eth[ALICE.address] == 990


def test_p1_notices_money_from_nowhere(world: Contracts) -> None:
    conservation(world, [ETH])
    world.ms_contract.credits[ETH, BOB.address] = 1
    with pytest.raises(Violated, match="P1"):
        conservation(world, [ETH])


def test_p1_notices_money_that_has_gone(world: Contracts) -> None:
    world.ms_contract.funds[ETH, world.ms_contract.channel_id(CHANNEL)] = Funds(10, 9)
    with pytest.raises(Violated, match="P1"):
        conservation(world, [ETH])


@pytest.mark.parametrize(("promised", "holds"), [(4, True), (3, False)])
def test_p2_wants_the_worst_of_the_promises(world: Contracts, promised: int, holds: bool) -> None:
    """Alice got 6 of her 10: so much for a state in which she has paid 4."""
    promises = [Promise(promised), Promise(-2)]
    if holds:
        balance_security(world, Role.ALICE, [payout(world)], promises)
    else:
        with pytest.raises(Violated, match="P2"):
            balance_security(world, Role.ALICE, [payout(world)], promises)


class ChangedMind:
    """Answered nothing in time, and now that all of Bob's lock is Alice's."""

    def answer(self, nano_id: bytes) -> bytes:
        return (1).to_bytes(32, "big") + (-3).to_bytes(32, "big", signed=True)

    def submit(self, evidence: bytes) -> bool:
        return True


@pytest.mark.parametrize(("settled", "holds"), [(True, True), (False, False)])
def test_p2_counts_an_outcome_as_it_was_settled(
    world: Contracts, settled: bool, holds: bool
) -> None:
    """Alice got 6: what she was promised, with 0 from an instance that lapsed, but 3 too little if
    nothing had been settled for it yet."""
    world.host.apps[APP] = ChangedMind()
    resolved = (Resolved(nano(), 0),) if settled else ()
    ended, promises = payout(world, resolved=resolved), [Promise(4, (nano(),))]
    if holds:
        balance_security(world, Role.ALICE, [ended], promises)
    else:
        with pytest.raises(Violated, match=r"P2: .*worst=9"):
            balance_security(world, Role.ALICE, [ended], promises)


def test_p3_notices_what_nobody_agreed_to(world: Contracts) -> None:
    nothing_unsigned(payout(world), lambda *_: True, lambda *_: 0)
    with pytest.raises(Violated, match="P3"):
        nothing_unsigned(payout(world), lambda *_: False, lambda *_: 0)


def test_p3_notices_more_than_a_side_signed_in_an_instance(world: Contracts) -> None:
    moved = payout(world, resolved=(Resolved(nano(), 3),), alice=3, bob=17)
    nothing_unsigned(moved, lambda *_: True, lambda *_: 3)
    with pytest.raises(Violated, match="P3"):
        nothing_unsigned(moved, lambda *_: True, lambda *_: 2)


def test_p3_notices_a_payout_that_is_short(world: Contracts) -> None:
    with pytest.raises(Violated, match="P3"):
        nothing_unsigned(payout(world, alice=5), lambda *_: True, lambda *_: 0)


def test_p4_notices_uneven_legs() -> None:
    left, right = Resolved(nano(), 2), Resolved(nano(), 2)
    hub_neutrality(left, Role.BOB, right, Role.ALICE)
    with pytest.raises(Violated, match="P4"):
        hub_neutrality(left, Role.BOB, replace(right, shift=0), Role.ALICE)


@pytest.mark.parametrize("nanos", [(), (nano(),)], ids=["free", "locked"])
def test_p5_holds_and_leaves_the_world_alone(world: Contracts, nanos: tuple[Nano, ...]) -> None:
    before = Snapshot.of(world.ms_contract)
    guaranteed_closing(
        world, CHANNEL, Role.ALICE, lambda: register(world, 2, 4, nanos), Wei(4), nanos
    )
    assert Snapshot.of(world.ms_contract) == before
    assert world.host.now == 100


def test_p5_needs_a_state_that_can_be_registered(world: Contracts) -> None:
    with pytest.raises(Refused):
        guaranteed_closing(world, CHANNEL, Role.BOB, lambda: register(world, 2, 11), Wei(11), ())


def test_p7_notices_another_channels_money(world: Contracts) -> None:
    before = Snapshot.of(world.ms_contract)
    key = (ETH, world.ms_contract.channel_id(CHANNEL))
    world.ms_contract.funds[key] = Funds(9, 11)
    after = Snapshot.of(world.ms_contract)
    isolation(before, after, {key}, {ALICE.address})
    with pytest.raises(Violated, match="P7"):
        isolation(before, after, set(), {ALICE.address})


def test_p10_holds_for_a_stale_register_in_front(world: Contracts) -> None:
    world.call(lambda: register(world, 0, 0))
    no_race(world, lambda: register(world, 3, 1), lambda: register(world, 9, 2))


def test_p10_notices_a_rival_that_gets_in_the_way(world: Contracts) -> None:
    world.call(lambda: register(world, 0, 0))

    def rival() -> None:
        world.host.now = 201

    with pytest.raises(Violated, match="P10"):
        no_race(world, rival, lambda: register(world, 9, 2))
