"""Instances in a channel of two: resizing, hash locks, what is not locked [A9], who may fill it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.config import HubPolicy, Policy
from perun.core.effects import Sign, SignItem
from perun.core.faults import InstanceRejected
from perun.core.hub.policy import why_refuse
from perun.core.inputs import (
    CommandAddMachine,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandReplace,
)
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
    CommandReveal,
)
from perun.core.nanocontracts.instances import nano_of
from perun.core.notices import InstanceRefused
from perun.core.state import InstanceView, LegStatus, SignedState
from perun.core.states.valuation import balance
from perun.crypto.hashing import keccak
from perun.encoding.messages import Propose, RefuseInstance, RequestInstance
from perun.testing.parties import DEPLOYMENT, Party, key_of
from perun.testing.stories import SECRET, add_lock, add_machine, instance
from perun.types import (
    Address,
    InstanceId,
    Lock,
    Machine,
    Nano,
    Salt,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair, Trio


def later(pair: Pair | Trio, seconds: int = 10_000) -> UnixTime:
    return UnixTime(pair.world.ledger.time + seconds)


def agreed(party: Party, pair: Pair) -> State:
    full = party.node.books.channels[pair.channel].agreed
    assert full is not None
    return full.state


def test_resizing_settles_the_old_machine_and_adds_the_new_in_one_state(pair: Pair) -> None:
    old = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.alice.do(CommandPay(old, Wei(30)))
    pair.world.settle()
    before = agreed(pair.bob, pair).version
    command = CommandReplace(
        old, Wei(400), Wei(300), later(pair), Seconds(600), pair.alice.random()
    )
    pair.alice.do(command)
    pair.world.settle()

    state = agreed(pair.bob, pair)
    assert (state.version, state.net) == (before + 2, 30)
    assert [(nano.alice_lock, nano.bob_lock) for nano in state.nanos] == [(400, 300)]
    assert instance(pair.alice, old).legs[0].status is LegStatus.REMOVED


def test_receiver_of_a_hash_lock_is_paid_by_the_secret(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET))
    books, view = pair.alice.node.books, pair.alice.channel(pair.bob)
    assert balance(books, view).guaranteed == 930
    pair.bob.do(CommandReveal(lock, SECRET))
    pair.world.settle()

    assert (agreed(pair.alice, pair).net, agreed(pair.alice, pair).nanos) == (70, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"validity": UnixTime(0)}, "ends too soon"),
        ({"validity": UnixTime(2**33)}, "does not fit|too far ahead"),
        ({"challenge": Seconds(1)}, "outside our limits"),
        ({"own_lock": Wei(0), "peer_lock": Wei(0)}, "locks nothing"),
    ],
)
def test_terms_outside_the_limits_are_not_offered(
    pair: Pair, changes: dict[str, object], reason: str
) -> None:
    command = CommandAddMachine(
        pair.channel, Wei(5), Wei(5), later(pair), Seconds(600), pair.alice.random()
    )
    with pytest.raises(InstanceRejected, match=reason):
        pair.alice.do(replace(command, **changes))


def test_lock_above_what_we_allow_is_declined(pair: Pair) -> None:
    config = pair.bob.node.books.config
    pair.bob.node.books.config = replace(config, policy=Policy(greatest_lock=Wei(10)))
    command = CommandAddMachine(
        pair.channel, Wei(5), Wei(11), later(pair), Seconds(600), pair.alice.random()
    )
    pair.alice.do(command)
    pair.world.settle()

    assert "more of my money" in pair.alice.told(InstanceRefused)[0].reason  # type: ignore[attr-defined]


def _propose_nano(pair: Pair, changes: dict[str, object]) -> str:
    """Alice proposes a known machine by a changed nano; the reason of Bob's refusal."""
    pair.world.network.lose(Propose)
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    pair.world.network.lose()
    known: InstanceView = instance(pair.alice, machine)
    nano: Nano = replace(nano_of(DEPLOYMENT, machine, known.terms, False), **changes)
    state = State(pair.channel, Version(2), Wei(0), (nano,))
    signature = pair.alice.signer.sign_now(Sign((SignItem(pair.alice.key.address, state),)))[0]
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, Propose(state, signature, 1))
    pair.bob.node.turn()
    refusals = [m for m in pair.world.network.said(Propose) if m.reason]  # type: ignore[attr-defined]
    return refusals[-1].reason if refusals else ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "changes",
    [
        {"alice_lock": Wei(99)},
        {"bob_lock": Wei(51)},
        {"expiry": UnixTime(2**40 - 1)},
        {"app": Address(b"\x09" * 20)},
        {"swapped": True},
    ],
)
def test_a9_nano_that_is_not_its_instances_own_is_refused(
    pair: Pair, changes: dict[str, object]
) -> None:
    assert _propose_nano(pair, changes) == (
        "a nano with other locks, time or contract than its instance"
    )


def test_a9_its_own_nano_is_taken(pair: Pair) -> None:
    assert _propose_nano(pair, {}) == ""


def test_a9_instance_twice_in_one_state_is_refused(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    (nano,) = agreed(pair.alice, pair).nanos
    state = State(pair.channel, Version(4), Wei(0), (nano, nano))
    signature = pair.alice.signer.sign_now(Sign((SignItem(pair.alice.key.address, state),)))[0]
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, Propose(state, signature, 1))
    pair.world.settle([pair.bob])

    assert instance(pair.bob, machine).legs[0].status is LegStatus.LISTED
    assert agreed(pair.bob, pair).nanos == (nano,)


def test_a9_instance_is_never_locked_again(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    (nano,) = agreed(pair.alice, pair).nanos
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()
    state = State(pair.channel, Version(6), Wei(0), (nano,))
    signature = pair.alice.signer.sign_now(Sign((SignItem(pair.alice.key.address, state),)))[0]
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, Propose(state, signature, 1))
    pair.world.settle([pair.bob])

    assert agreed(pair.bob, pair).nanos == ()


def test_a9_end_that_does_not_sign_for_its_side_is_refused_by_the_hub(trio: Trio) -> None:
    """Alice's second key in Bob's place, and Bob's channel never heard of it."""
    second = key_of("alice's second key").address
    machine = Machine(
        second, trio.alice.key.address, Wei(5), Wei(5), later(trio), Seconds(600), Salt(bytes(32))
    )
    for from_alice, side in ((True, trio.left), (False, trio.left)):
        wish = RequestInstance(side, machine, from_alice)
        trio.world.network.inject(trio.alice.peer, trio.ingrid.peer, wish)
    trio.world.settle()

    (refusal,) = trio.world.network.said(RefuseInstance)
    assert "is not your key" in refusal.reason  # type: ignore[attr-defined]
    # The other half waits for a first end that does not exist, and is forgotten.
    trio.world.advance(20)
    assert trio.ingrid.node.books.hub_instances == {}
    assert trio.ingrid.node.books.channels[trio.left].waiting == ()


def test_one_channel_cannot_be_both_sides_of_a_crossing(trio: Trio) -> None:
    lock = Lock(Wei(5), False, keccak(SECRET), later(trio), Salt(bytes(32)))
    for from_alice in (True, False):
        wish = RequestInstance(trio.left, lock, from_alice)
        trio.world.network.inject(trio.alice.peer, trio.ingrid.peer, wish)
    trio.world.settle()

    reasons = {m.reason for m in trio.world.network.said(RefuseInstance)}  # type: ignore[attr-defined]
    assert reasons == {"the ends need two channels of one asset"}
    assert trio.ingrid.node.books.channels[trio.left].inflight is None


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (HubPolicy(greatest_lock=Wei(10)), "locked by the hub"),
        (HubPolicy(peer_quota=Wei(10)), "quota"),
        (HubPolicy(reserved_slots=64), "no slot left"),
        (None, "no hub here"),
    ],
)
def test_hub_refuses_with_a_reason(trio: Trio, policy: HubPolicy | None, reason: str) -> None:
    books = trio.ingrid.node.books
    config = replace(books.config, policy=replace(books.config.policy, hub=policy))
    now = books.chain.head_time
    keys = (trio.alice.key.address, trio.bob.key.address)
    machine = Machine(
        *keys, Wei(100), Wei(0), UnixTime(now + 5_000), Seconds(600), trio.alice.random()
    )
    legs = tuple(
        (books.channels[id], nano_of(DEPLOYMENT, bytes(32), machine, swapped))  # type: ignore[arg-type]
        for id, swapped in ((trio.left, False), (trio.right, True))
    )
    said = why_refuse(config, books.chain, machine, legs)

    assert said is not None
    assert reason in said


def test_lock_of_an_unknown_secret_stays_until_it_lapses(pair: Pair) -> None:
    command = CommandLock(
        pair.channel, Wei(5), keccak(SECRET), later(pair, 1_000), pair.alice.random()
    )
    pair.alice.do(command)
    pair.world.settle()
    assert len(agreed(pair.bob, pair).nanos) == 1
    pair.world.advance(1_100)
    pair.world.advance()

    assert (agreed(pair.bob, pair).net, agreed(pair.bob, pair).nanos) == (0, ())


def test_what_is_over_leaves_the_store(trio: Trio) -> None:
    """Nothing piles up: instances, totals and crossings go once their terms have ended."""
    for _ in range(2):
        add_machine(trio.world, trio.alice, trio.left, 10, 10, trio.bob, life=1_000)
    trio.world.network.rule = lambda _letter: ()
    trio.alice.do(CommandDispute(trio.left))
    trio.bob.do(CommandDispute(trio.right))
    for _ in range(60):
        trio.world.advance(60)

    for party in (trio.alice, trio.ingrid, trio.bob):
        books = party.node.books
        assert (books.instances, books.totals, books.hub_instances) == ({}, {}, {})
        assert all(view.final.ended for view in books.channels.values())


def test_c3_last_slots_are_kept_for_what_is_small_and_short(trio: Trio) -> None:
    books = trio.ingrid.node.books
    policy = HubPolicy(reserved_slots=16, small_lock=Wei(5), short_life=900)
    config = replace(books.config, policy=replace(books.config.policy, hub=policy))
    now = books.chain.head_time
    filled = []
    for number in range(48):
        id = InstanceId(bytes([number]) * 32)
        filled.append(Nano(Address(b"\x22" * 20), id, Wei(0), Wei(0), UnixTime(9), False))
    state = State(trio.left, Version(2), Wei(0), tuple(filled))
    full = replace(books.channels[trio.left], agreed=SignedState(state))
    keys = (trio.alice.key.address, trio.bob.key.address)

    def answer(lock: int, life: int) -> str | None:
        terms = (Wei(lock), Wei(0), UnixTime(now + life), Seconds(600), trio.alice.random())
        machine = Machine(*keys, *terms)
        legs = tuple(
            (view, nano_of(DEPLOYMENT, InstanceId(bytes(32)), machine, swapped))
            for view, swapped in ((full, False), (books.channels[trio.right], True))
        )
        return why_refuse(config, books.chain, machine, legs)  # type: ignore[arg-type]

    assert answer(5, 900) is None
    # The hub locks in Bob's channel only, which is empty; Alice's is the full one.
    assert answer(5, 901) == answer(6, 901) == "no slot left in the channel"
