"""What a hub signs alone, and what it does not: each condition by itself, on crafted halves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.chain_view import Dispute, OnChain
from perun.core.faults import BadProposal
from perun.core.hub import judge as halves
from perun.core.hub import pairs, queue
from perun.core.hub.patience import overdue
from perun.core.hub.policy import why_refuse
from perun.core.inputs import CommandPay
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.instances import nano_of
from perun.core.nanocontracts.machine import MACHINE
from perun.core.nanocontracts.shifts import named_part
from perun.core.state import (
    ChannelView,
    Held,
    HubStage,
    InstanceView,
    Intent,
    LegStatus,
    Purpose,
    Role,
    Totals,
)
from perun.core.states.verdict import Decision
from perun.crypto.hashing import keccak
from perun.encoding.messages import Propose
from perun.testing.stories import SECRET, add_lock, add_machine
from perun.types import (
    Address,
    Asset,
    ChannelId,
    InstanceId,
    LockRecord,
    MachineId,
    MachineRecord,
    Nano,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Trio
from .crafted import at, put, said

SIGNED = Signature(b"\x01" * 65)
FAR = UnixTime(2_000_000_000)


def crossing_machine(trio: Trio, paid: int = 40, peer: int = 0) -> MachineId:
    """A machine over the hub, in which Alice has paid Bob."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, peer, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(paid)))
    trio.world.settle()
    return machine


def statement(trio: Trio, machine: MachineId) -> Signature:
    return trio.bob.node.books.totals[machine].received_signature


def instance(trio: Trio, id: InstanceId) -> InstanceView:
    return trio.ingrid.node.books.instances[id]


def with_legs(instance: InstanceView, channel: ChannelId, **fields: Any) -> InstanceView:
    legs = tuple(replace(leg, **fields) if leg.channel == channel else leg for leg in instance.legs)
    return replace(instance, legs=legs)


# ----------------------------------------------------------------- what a hub may pay by itself


def holding(trio: Trio, machine: MachineId, side: ChannelId) -> Draft:
    """The hub holds the removal in one channel, and the statement that pays it in the other."""
    draft = at(trio.ingrid)
    signature = statement(trio, machine)
    draft.put(Totals(machine, Wei(0), Wei(0), Signature(b""), Wei(40), signature))
    state = State(side, Version(8), Wei(0))
    intent = Intent(Purpose.REMOVE, removes=machine)
    held = Held(state, SIGNED, intent, totals=(Wei(40), Wei(0)))
    put(draft, draft.channel(side), held=held)
    return draft


def alone(draft: Draft, side: ChannelId, machine: MachineId) -> bool:
    view = draft.channel(side)
    half = halves.half_in(draft, view, machine)
    assert half is not None
    return halves.pays_alone(draft, view, half)


def test_rule_c_needs_each_of_its_conditions(trio: Trio) -> None:
    machine = crossing_machine(trio)
    assert alone(holding(trio, machine, trio.right), trio.right, machine)

    # The payer's own channel: there the hub is paid.
    assert not alone(holding(trio, machine, trio.left), trio.left, machine)

    for status in (LegStatus.NEW, LegStatus.REMOVING, LegStatus.REMOVED):
        draft = holding(trio, machine, trio.right)
        draft.put(with_legs(instance(trio, machine), trio.left, status=status))
        assert not alone(draft, trio.right, machine)

    dispute = Dispute(Version(0), Wei(0), (), FAR)
    for disputed in (trio.left, trio.right):
        draft = holding(trio, machine, trio.right)
        view = draft.channel(disputed)
        put(draft, view, head=replace(view.head, dispute=dispute))
        assert not alone(draft, trio.right, machine)

    draft = holding(trio, machine, trio.right)
    draft.put(replace(instance(trio, machine), watched=False))
    assert not alone(draft, trio.right, machine)

    draft = holding(trio, machine, trio.right)
    draft.chain = replace(draft.chain, head_time=UnixTime(draft.chain.wall - 61))
    assert not alone(draft, trio.right, machine)


@pytest.mark.parametrize("paid", [39, 0])
def test_rule_c_needs_evidence_for_as_much(trio: Trio, paid: int) -> None:
    machine = crossing_machine(trio)
    draft = holding(trio, machine, trio.right)
    draft.put(Totals(machine, Wei(0), Wei(0), Signature(b""), Wei(paid), statement(trio, machine)))
    assert not alone(draft, trio.right, machine)


def test_machine_forces_only_what_can_be_submitted_a_margin_before_its_end(trio: Trio) -> None:
    machine = crossing_machine(trio)
    crossed, margin = instance(trio, machine), trio.ingrid.limits.margin
    assert crossed.machine is not None
    validity = crossed.machine.validity

    def forces(time: int, head: MachineRecord | None = None, **more: object) -> bool:
        draft = holding(trio, machine, trio.right)
        draft.chain = at(trio.ingrid, time).chain
        changed = replace(crossed, head=head, **more)
        return MACHINE.forces(draft, changed, (Wei(40), Wei(0)))

    assert forces(validity - margin)
    assert not forces(validity - margin + 1)
    begun = MachineRecord(Wei(10), Wei(0), UnixTime(validity - 1_000))
    assert forces(begun.deadline - margin, begun)
    assert not forces(begun.deadline - margin + 1, begun)
    # What is recorded in a final block forces itself; in the newest block alone it does not.
    done = MachineRecord(Wei(40), Wei(0), UnixTime(validity - 1_000))
    assert not forces(validity, done)
    assert not forces(validity, done, final=begun)
    assert forces(validity, done, final=done)


def test_secret_forces_a_margin_before_the_deadline_or_from_a_final_block(trio: Trio) -> None:
    lock = add_lock(trio.world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob)
    crossed, margin = instance(trio, lock), trio.ingrid.limits.margin
    assert crossed.lock is not None
    known, deadline = replace(crossed, preimage=SECRET), crossed.lock.deadline
    nothing = (Wei(70), Wei(0))
    assert HASH_LOCK.forces(at(trio.ingrid, deadline - margin), known, nothing)
    assert not HASH_LOCK.forces(at(trio.ingrid, deadline - margin), crossed, nothing)
    late = at(trio.ingrid, deadline - margin + 1)
    assert not HASH_LOCK.forces(late, known, nothing)
    assert not HASH_LOCK.forces(late, replace(known, head=LockRecord(SECRET)), nothing)
    shown = replace(known, head=LockRecord(SECRET), final=LockRecord(SECRET))
    assert HASH_LOCK.forces(late, shown, nothing)


@pytest.mark.parametrize("good", [True, False])
def test_hub_keeps_a_statement_that_its_payer_has_signed(trio: Trio, good: bool) -> None:
    machine = crossing_machine(trio)
    draft = at(trio.ingrid)
    signature = statement(trio, machine) if good else SIGNED
    message = Propose(
        State(trio.right, Version(8), Wei(0)),
        SIGNED,
        3,
        removes=machine,
        received=Wei(40),
        received_signature=signature,
    )
    MACHINE.keep(draft, instance(trio, machine), message, Role.BOB)
    assert draft.totals(machine).received == (40 if good else 0)


# --------------------------------------------------------- what the chain or the other end decided


def judged(draft: Draft, trio: Trio, machine: MachineId, moved: int) -> Decision | None:
    """What the hub finds of Bob's removal in the right channel; None: it refuses."""
    view = draft.channel(trio.right)
    assert view.agreed is not None
    (nano,) = view.agreed.state.nanos
    message = Propose(
        State(trio.right, Version(8), Wei(moved)), SIGNED, 3, removes=machine, received=Wei(40)
    )
    try:
        return halves.judge(draft, view, message, (nano,), (), moved).decision
    except BadProposal:
        return None


@pytest.mark.parametrize("moved", [-41, -40, -39])
def test_rule_d_pays_on_what_was_paid_and_no_wei_more(trio: Trio, moved: int) -> None:
    """Ingrid is Bob of Bob's channel: what moves to him is negative."""
    machine = crossing_machine(trio)
    draft = at(trio.ingrid)
    there = with_legs(
        instance(trio, machine), trio.left, status=LegStatus.REMOVED, removed_shift=Wei(40)
    )
    draft.put(there)
    assert judged(draft, trio, machine, moved) is (Decision.ACCEPT if moved >= -40 else None)


def test_rules_a_and_b_go_by_final_blocks(trio: Trio) -> None:
    machine = crossing_machine(trio)
    crossed = instance(trio, machine)
    assert crossed.machine is not None
    over = crossed.machine.validity + crossed.machine.challenge + 1
    on = MachineRecord(Wei(25), Wei(0), UnixTime(over - 100))
    for final, moved, decision in (
        (on, -25, Decision.ACCEPT),
        (on, -26, None),
        (on, -24, None),
        (None, 0, Decision.ACCEPT),
        (None, -25, None),
    ):
        draft = at(trio.ingrid, over)
        draft.put(replace(crossed, head=on, final=final, told=draft.chain.told))
        assert judged(draft, trio, machine, moved) is decision
    draft = at(trio.ingrid, over, final_time=UnixTime(over - 100))
    draft.chain = replace(draft.chain, earlier_final=UnixTime(over - 100))
    draft.put(replace(crossed, head=on, final=None, told=draft.chain.told))
    assert judged(draft, trio, machine, -25) is None
    assert judged(draft, trio, machine, -40) is Decision.HOLD


# ------------------------------------------------------------------------------ adding, lending


def adding(draft: Draft, view: ChannelView, nano: Nano) -> Decision | None:
    state = State(view.id, Version(8), Wei(0), (nano,))
    message = Propose(state, SIGNED, 2, adds=nano.id)
    try:
        return halves.judge(draft, view, message, (), (nano,), 0).decision
    except BadProposal:
        return None


def test_half_that_adds_is_granted_new_and_untouched(trio: Trio) -> None:
    machine = crossing_machine(trio)
    view = trio.ingrid.node.books.channels[trio.right]
    assert view.agreed is not None
    (nano,) = view.agreed.state.nanos
    new = with_legs(instance(trio, machine), trio.right, status=LegStatus.NEW)
    crossing = trio.ingrid.node.books.hub_instances[machine]
    opening = replace(crossing, stage=HubStage.OPENING)
    touched = MachineRecord(Wei(1), Wei(0), FAR)
    for stage, inflight, known, decision in (
        (opening, machine, new, Decision.HOLD),
        (opening, InstanceId(bytes(32)), new, None),
        (opening, None, new, None),
        (crossing, machine, new, None),
        (opening, machine, instance(trio, machine), None),
        (opening, machine, replace(new, head=touched), None),
        (opening, machine, replace(new, final=touched), None),
    ):
        draft = at(trio.ingrid)
        draft.put(stage)
        draft.put(known)
        changed = put(draft, view, inflight=inflight)
        assert adding(draft, changed, nano) is decision


def test_hub_lends_between_channels_of_one_asset(trio: Trio) -> None:
    machine = crossing_machine(trio)
    draft = at(trio.ingrid)
    crossing = trio.ingrid.node.books.hub_instances[machine]
    left, right = draft.channel(trio.left), draft.channel(trio.right)
    other = replace(right.channel, asset=Asset(Address(b"\x09" * 20)))
    why = queue.start(draft, crossing, (left, replace(right, channel=other)))
    assert why == "the ends need two channels of one asset"


@pytest.mark.parametrize(("lock", "whose"), [(1_000, None), (1_001, "the end's")])
def test_end_has_the_money_that_it_locks(trio: Trio, lock: int, whose: str | None) -> None:
    """In Alice's channel she locks what the hub locks towards Bob."""
    machine = crossing_machine(trio)
    terms = replace(
        instance(trio, machine).machine,  # type: ignore[type-var]
        alice_lock=Wei(lock),
        challenge=Seconds(600),
    )
    books = trio.ingrid.node.books
    left = replace(books.channels[trio.left], agreed=None)
    nano = nano_of(books.config.deployment, machine, terms, False)
    why = why_refuse(books.config, books.chain, terms, ((left, nano),))
    assert (why is None) if whose is None else why is not None and whose in why


def test_hub_refuses_after_patience_and_not_in_its_last_second(trio: Trio) -> None:
    machine = crossing_machine(trio)
    books, patience = trio.ingrid.node.books, trio.ingrid.limits.patience
    crossing = replace(books.hub_instances[machine], stage=HubStage.OPENING)
    new = with_legs(instance(trio, machine), trio.left, status=LegStatus.NEW)
    new = with_legs(new, trio.right, status=LegStatus.NEW)
    for waited, refuses in ((patience, False), (patience + 1, True)):
        draft = at(trio.ingrid)
        draft.put(new)
        draft.put(crossing)
        draft.chain = replace(draft.chain, clock=UnixTime(crossing.since + waited))
        overdue(draft, crossing)
        assert bool(said(draft)) is refuses


def test_hub_answers_neither_of_two_halves_that_one_signature_has_passed(trio: Trio) -> None:
    """A version at or below one that was signed since can be held, and no longer answered."""
    machine = crossing_machine(trio)
    for passed, answers in ((None, True), (trio.left, False), (trio.right, False)):
        draft = holding(trio, machine, trio.right)
        right = draft.channel(trio.right)
        assert right.held is not None
        state = State(trio.left, Version(8), Wei(0))
        other = replace(right.held, state=state)
        put(draft, draft.channel(trio.left), held=other)
        if passed is not None:
            put(draft, draft.channel(passed), signed=Version(9))
        crossing = trio.ingrid.node.books.hub_instances[machine]
        draft.put(replace(crossing, stage=HubStage.CLOSING))
        pairs.look_again(draft, machine)
        views = [draft.channel(id) for id in (trio.left, trio.right)]
        assert [v.held is not None and v.held.answering for v in views] == [answers] * 2


def test_head_that_shows_an_end_is_no_money(trio: Trio) -> None:
    """A hub holds nothing in a channel that the newest block shows ended."""
    machine = crossing_machine(trio)
    draft = holding(trio, machine, trio.right)
    put(draft, draft.channel(trio.left), head=OnChain(ended=True))
    assert not alone(draft, trio.right, machine)


@pytest.mark.parametrize(
    ("paid", "received", "named"),
    [(70, 0, 70), (0, 60, -60), (71, 0, None), (0, 61, None), (70, 60, None), (1, 1, None)],
)
def test_hub_hears_of_one_side_that_pays_and_of_no_more_than_its_lock(
    paid: int, received: int, named: int | None
) -> None:
    """What is above a lock would be cut off in this channel, and stand in the hub's books."""
    message = Propose(
        State(ChannelId(bytes(32)), Version(5), Wei(0)),
        Signature(b""),
        int(Purpose.REMOVE),
        paid=Wei(paid),
        received=Wei(received),
    )
    locks = Wei(70), Wei(60)
    if named is None:
        with pytest.raises(BadProposal, match="no part of a lock"):
            named_part(message, Role.ALICE, locks, "part of a lock")
    else:
        shift, totals = named_part(message, Role.ALICE, locks, "part of a lock")
        assert (shift, totals) == (named, (paid, received))
        shift, totals = named_part(message, Role.BOB, (locks[1], locks[0]), "part of a lock")
        assert (shift, totals) == (-named, (received, paid))
