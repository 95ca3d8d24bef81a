"""Resizing and renewing a virtual channel in one state: the way it goes, and what may go wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from perun.core.config import Config
from perun.core.faults import InstanceRejected, NotAllowedNow
from perun.core.inputs import (
    Command,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    Signed,
)
from perun.core.notices import InstanceAdded, InstanceRefused, InstanceRemoved, VirtualReady
from perun.core.state import HubStage, LegStatus
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Invite,
    Invited,
    Leave,
    Pay,
    Propose,
    ReadySigned,
    RefuseInstance,
    RequestInstance,
    decode,
)
from perun.errors import StoreFault
from perun.store.memory import MemoryStore
from perun.testing.network import Letter
from perun.testing.parties import Party, World
from perun.testing.stories import (
    OPEN_HANDED,
    SECRET,
    add_lock,
    add_machine,
    hub_policy,
    instance,
    open_channel,
)
from perun.types import MachineId, UnixTime, Wei

from .conftest import Trio
from .replacing import hub_gain, listed, lost, net, resize, successor, wish


def machine(trio: Trio, own: int = 300, peer: int = 200, paid: int = 50) -> MachineId:
    """A virtual channel in which Alice has paid something."""
    id = add_machine(trio.world, trio.alice, trio.left, own, peer, trio.bob)
    trio.alice.do(CommandPay(id, Wei(paid)))
    trio.world.settle()
    return id


def pay(trio: Trio, who: Party, id: MachineId, amount: int) -> None:
    who.do(CommandPay(id, Wei(amount)))
    trio.world.settle()


def received(party: Party, id: MachineId) -> int:
    return party.node.books.totals[id].received


def trio_with(**policy: object) -> Trio:
    """Whose hub has another policy."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(**policy))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    return Trio(world, alice, ingrid, bob, left, open_channel(world, bob, ingrid, 1_000, 1_000))


def patience(trio: Trio) -> None:
    """Nothing comes for longer than anybody waits, and what was lost is said again."""
    for _ in range(6):
        trio.world.advance(12)


def still_good(trio: Trio, old: MachineId) -> bool:
    """Whether both ends can pay in it again, and close it at the right totals."""
    before = received(trio.bob, old)
    pay(trio, trio.alice, old, 7)
    pay(trio, trio.bob, old, 2)
    if (received(trio.bob, old), received(trio.alice, old)) != (before + 7, 2):
        return False
    trio.bob.do(CommandRemove(old))
    trio.world.settle()
    nets = (net(trio.alice, trio.left), net(trio.bob, trio.right))
    return nets == (before + 5, -before - 5) and hub_gain(trio) == 0


# -------------------------------------------------------------------------------- the way it goes


def test_grows_where_both_machines_together_would_not_fit(trio: Trio) -> None:
    old = machine(trio, 700, 600)
    signed = len(trio.world.ledger.log)
    new = resize(trio, old, 900, 1_000)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [new]
    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (50, -50)
    for party in (trio.alice, trio.bob):
        assert VirtualReady(new) in party.told(VirtualReady)
        assert instance(party, old).legs[0].status is LegStatus.REMOVED
    pay(trio, trio.alice, new, 900)
    pay(trio, trio.bob, new, 1_900)
    trio.alice.do(CommandRemove(new))
    trio.world.settle()
    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (-950, 950)
    assert trio.ingrid.node.books.hub_instances == {}
    assert len(trio.world.ledger.log) == signed


def test_shrinks_and_gives_free_money_back(trio: Trio) -> None:
    old = machine(trio, 1_000, 1_000)
    trio.alice.do(CommandTransfer(trio.left, Wei(1)))
    trio.world.settle()
    assert net(trio.alice, trio.left) == 0
    resize(trio, old, 10, 0)
    trio.alice.do(CommandTransfer(trio.left, Wei(900)))
    trio.world.settle()

    assert net(trio.alice, trio.left) == 950


def test_renewed_machine_is_paid_in_after_the_old_one_would_have_ended(trio: Trio) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob, life=1_000)
    new = resize(trio, old, 300, 200, life=5_000)
    trio.world.advance(2_000)
    pay(trio, trio.alice, new, 9)

    assert received(trio.bob, new) == 9
    assert old not in trio.alice.node.books.instances


def test_either_end_may_ask_and_stands_as_alice_of_the_new_machine(trio: Trio) -> None:
    old = machine(trio)
    new = resize(trio, old, 20, 400, who=trio.bob)

    (nano,) = trio.alice.node.books.channels[trio.left].agreed.state.nanos  # type: ignore[union-attr]
    assert (nano.id, nano.alice_lock, nano.bob_lock, nano.swapped) == (new, 400, 20, True)
    pay(trio, trio.alice, new, 400)
    assert received(trio.bob, new) == 400
    again = resize(trio, new, 30, 30)
    assert listed(trio.bob, trio.right) == [again]
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (450, 0)


def test_one_way_machine_is_replaced_too(trio: Trio) -> None:
    old = machine(trio, 300, 0)
    new = resize(trio, old, 500, 0)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [new]
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (50, 0)


def test_fee_is_paid_on_the_new_machine_and_is_no_part_of_the_shift() -> None:
    trio = trio_with(base_fee=Wei(5), amount_ppm=10_000)
    old = machine(trio)
    assert hub_gain(trio) == 10
    resize(trio, old, 600, 300)

    # 5 and one per cent of the 900 that the hub locks in all, on top of the first 10.
    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (50 + 10 + 14, -50)
    for party in (trio.alice, trio.bob, trio.ingrid):
        shifts = {notice.shift for notice in party.told(InstanceRemoved)}  # type: ignore[attr-defined]
        assert shifts == {50}


def test_fee_above_what_the_inviter_allows_leaves_the_old_machine_in_use() -> None:
    trio = trio_with(amount_ppm=10_000)
    old = machine(trio, 100, 0)
    books = trio.alice.node.books
    books.config = _with_policy(trio.alice, greatest_fee=Wei(2))
    new = resize(trio, old, 300, 0)
    patience(trio)

    assert listed(trio.bob, trio.right) == [old]
    assert instance(trio.alice, new).refused
    pay(trio, trio.alice, old, 1)
    assert received(trio.bob, old) == 51


def _with_policy(party: Party, **changes: object) -> Config:
    config = party.node.books.config
    return replace(config, policy=replace(config.policy, **changes))


def test_hub_signs_nothing_for_payments_before_and_after(trio: Trio) -> None:
    old = machine(trio)
    asked = trio.ingrid.signer.asked
    new = resize(trio, old, 400, 400)
    assert trio.ingrid.signer.asked == asked + 2  # one state in each channel
    pay(trio, trio.alice, new, 5)
    assert trio.ingrid.signer.asked == asked + 2


def test_payments_wait_while_a_machine_is_being_replaced(trio: Trio) -> None:
    old = machine(trio)
    trio.world.network.rule = lost(trio.ingrid, GrantInstance)
    new = resize(trio, old, 400, 400)

    for party in (trio.alice, trio.bob):
        with pytest.raises(NotAllowedNow, match="we are closing it"):
            party.do(CommandPay(old, Wei(1)))
        with pytest.raises(NotAllowedNow, match="does not list"):
            party.do(CommandPay(new, Wei(1)))
        with pytest.raises(NotAllowedNow, match="closed, or replaced"):
            party.do(wish(trio, party, old, 5, 5))


def test_payment_under_way_when_they_stop_is_in_the_totals(trio: Trio) -> None:
    old = machine(trio)
    trio.world.network.rule = lost(trio.alice, Pay)
    pay(trio, trio.alice, old, 30)
    assert received(trio.bob, old) == 50
    resize(trio, old, 400, 400)

    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (80, -80)


def test_slow_signature_of_a_payment_is_in_the_totals_or_never_counts(trio: Trio) -> None:
    """Its total counts as signed, but comes when the removal is: so it never leaves."""
    old = machine(trio)
    trio.alice.signer.slow = []
    trio.alice.do(CommandPay(old, Wei(30)))
    (statement,) = trio.alice.signer.slow
    trio.alice.do(wish(trio, trio.alice, old, 400, 400))
    trio.world.settle()
    trio.alice.node.post([Signed(statement, trio.alice.signer.sign_now(statement))])
    trio.world.settle()
    slow, trio.alice.signer.slow = trio.alice.signer.slow, None
    for ask in slow[1:]:
        trio.alice.node.post([Signed(ask, trio.alice.signer.sign_now(ask))])
    trio.world.settle()
    patience(trio)

    (new,) = listed(trio.alice, trio.left)
    assert listed(trio.bob, trio.right) == [new] != [old]
    assert (received(trio.bob, old), net(trio.alice, trio.left), hub_gain(trio)) == (50, 50, 0)
    assert trio.alice.node.books.totals[old].asked == 80


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"greatest_lock": Wei(500)}, "locked by the hub"),
        ({"peer_quota": Wei(500)}, "quota"),
    ],
)
def test_hub_may_refuse_and_the_old_machine_is_good_again(
    policy: dict[str, object], reason: str
) -> None:
    trio = trio_with(**policy)
    old = machine(trio)
    resize(trio, old, 400, 600)

    for party in (trio.alice, trio.bob):
        assert reason in party.told(InstanceRefused)[-1].reason  # type: ignore[attr-defined]
    assert still_good(trio, old)


def test_quota_is_of_the_difference() -> None:
    trio = trio_with(peer_quota=Wei(500))
    old = machine(trio, 400, 400)
    new = resize(trio, old, 500, 500)

    assert listed(trio.bob, trio.right) == [new]


def test_last_slot_is_enough() -> None:
    """One slot in all: the old machine leaves it in the same state."""
    trio = trio_with(reserved_slots=63)
    old = machine(trio)
    new = resize(trio, old, 400, 400)

    assert listed(trio.bob, trio.right) == [new]


def test_money_that_the_shift_will_bring_counts(trio: Trio) -> None:
    """Bob, and the hub towards Alice, lock what Alice has paid."""
    old = machine(trio, 300, 200, paid=200)
    new = resize(trio, old, 100, 1_150)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [new]


def test_money_that_the_shift_will_bring_counts_for_the_inviter_too(trio: Trio) -> None:
    old = machine(trio, 300, 200, paid=200)
    new = resize(trio, old, 1_150, 100, who=trio.bob)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [new]


def test_more_money_than_there_is_even_without_the_old_machine(trio: Trio) -> None:
    old = machine(trio, 300, 200, paid=0 + 50)
    resize(trio, old, 1_400, 0)

    assert trio.alice.told(InstanceRefused)
    assert still_good(trio, old)


def test_more_than_the_shift_leaves_is_found_out_with_the_totals(trio: Trio) -> None:
    """The hub does not know the totals when it grants; the end that lacks the money does."""
    old = machine(trio, 300, 200, paid=50)
    resize(trio, old, 1_000, 0)  # Alice has 950 left
    patience(trio)

    assert "free money" in trio.alice.told(InstanceRefused)[0].reason  # type: ignore[attr-defined]
    assert trio.bob.told(InstanceRefused)
    assert still_good(trio, old)


def test_other_end_may_decline_and_nobody_stops_paying(trio: Trio) -> None:
    old = machine(trio)
    trio.bob.node.books.config = _with_policy(trio.bob, greatest_lock=Wei(200))
    trio.alice.do(wish(trio, trio.alice, old, 300, 201))
    trio.world.settle()

    assert "more of my money" in trio.alice.told(InstanceRefused)[0].reason  # type: ignore[attr-defined]
    assert still_good(trio, old)


@pytest.mark.parametrize("silent", ["alice", "bob"])
def test_hub_signs_neither_until_both_and_refuses_after_patience(trio: Trio, silent: str) -> None:
    party: Party = getattr(trio, silent)
    old = machine(trio)
    trio.world.network.rule = lost(party, Propose)
    new = resize(trio, old, 400, 400)
    assert {leg.status for leg in instance(trio.ingrid, new).legs} == {LegStatus.NEW}
    assert {leg.status for leg in instance(trio.ingrid, old).legs} == {LegStatus.LISTED}
    trio.world.network.rule = None
    patience(trio)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [old]
    assert trio.ingrid.node.books.hub_instances[old].stage is HubStage.OPEN
    assert trio.ingrid.node.books.channels[trio.left].inflight is None
    assert still_good(trio, old)


def test_refused_once_it_may_be_tried_again(trio: Trio) -> None:
    old = machine(trio)
    trio.world.network.lose(Propose)
    refused = resize(trio, old, 400, 400)
    trio.world.network.lose()
    patience(trio)
    new = resize(trio, old, 500, 500)

    assert listed(trio.bob, trio.right) == [new] != [refused]
    assert trio.alice.told(InstanceAdded)[-1].instance == new  # type: ignore[attr-defined]


def test_closing_goes_before_replacing(trio: Trio) -> None:
    old = machine(trio)
    trio.alice.node.post([wish(trio, trio.alice, old, 400, 400)])
    trio.bob.node.post([CommandRemove(old)])
    trio.world.settle()
    patience(trio)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (50, 0)


def test_end_that_closes_already_is_not_turned_by_the_others_leave(trio: Trio) -> None:
    """Both have agreed on the successor; Bob closes before he hears that Alice leaves for it."""
    old = machine(trio)
    trio.world.network.rule = _without_leaves(trio)
    resize(trio, old, 400, 400)
    trio.bob.do(CommandRemove(old))
    trio.world.settle()
    trio.world.network.rule = lost(trio.bob, Leave)
    trio.world.advance()
    assert instance(trio.bob, old).successor is None
    (proposal,) = trio.bob.node.books.channels[trio.right].proposals
    assert (proposal.intent.removes, proposal.intent.adds) == (old, None)
    trio.world.network.rule = None
    patience(trio)

    # Alice never heard of it and has proposed nothing: what comes about comes about on both sides.
    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right)
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (50, 0)


def test_whoever_has_waited_long_enough_may_close_instead(trio: Trio) -> None:
    old = machine(trio)
    trio.world.network.lose(RequestInstance)
    resize(trio, old, 400, 400)
    trio.alice.do(CommandRemove(old))
    trio.world.settle()

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (50, 0)


def test_both_ends_may_want_to_resize_at_once(trio: Trio) -> None:
    old = machine(trio)
    trio.alice.node.post([wish(trio, trio.alice, old, 400, 400)])
    trio.bob.node.post([wish(trio, trio.bob, old, 100, 100)])
    trio.world.settle()
    patience(trio)

    (new,) = listed(trio.alice, trio.left)
    assert listed(trio.bob, trio.right) == [new] == [successor(trio.alice, old)]
    pay(trio, trio.alice, MachineId(new), 1)


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_of_two_successors_the_machines_alices_stands(trio: Trio, first: str) -> None:
    """Both have agreed to both before either hears a Leave."""
    old = machine(trio)
    trio.world.network.rule = _without_leaves(trio)
    trio.alice.node.post([wish(trio, trio.alice, old, 400, 400)])
    trio.bob.node.post([wish(trio, trio.bob, old, 100, 100)])
    trio.world.settle()
    trio.world.network.rule = None
    order = [trio.alice, trio.bob] if first == "alice" else [trio.bob, trio.alice]
    for party in order:
        assert instance(party, old).leave_sent
    trio.world.advance()
    patience(trio)

    (new,) = listed(trio.alice, trio.left)
    assert listed(trio.bob, trio.right) == [new]
    assert instance(trio.alice, MachineId(new)).role is not instance(trio.bob, MachineId(new)).role
    assert instance(trio.alice, MachineId(new)).role.name == "ALICE"  # type: ignore[union-attr]


def _without_leaves(trio: Trio) -> Callable[[Letter], tuple[Letter, ...]]:
    rules = [lost(party, Leave) for party in (trio.alice, trio.bob)]

    def rule(letter: Letter) -> tuple[Letter, ...]:
        return (letter,) if all(one(letter) for one in rules) else ()

    return rule


def test_asking_twice_replaces_once(trio: Trio) -> None:
    old = machine(trio)
    wishes = [wish(trio, trio.alice, old, own, 50) for own in (400, 410)]
    trio.alice.node.post(wishes)
    trio.world.settle()
    patience(trio)

    (nano,) = trio.bob.node.books.channels[trio.right].agreed.state.nanos  # type: ignore[union-attr]
    assert nano.bob_lock == 400
    assert trio.alice.told(InstanceRefused)


def test_what_cannot_be_replaced(trio: Trio) -> None:
    lock = add_lock(trio.world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob)
    old = machine(trio)
    for party, id, reason in (
        (trio.alice, lock, "only an end replaces a machine"),
        (trio.ingrid, old, "only an end replaces a machine"),
    ):
        with pytest.raises(NotAllowedNow, match=reason):
            party.do(wish(trio, party, MachineId(id), 5, 5))
    with pytest.raises(InstanceRejected, match="too soon"):
        trio.alice.do(wish(trio, trio.alice, old, 5, 5, life=1))
    terms = instance(trio.alice, old).machine
    assert terms is not None
    trio.world.submit_totals(terms, 10, 10)
    trio.world.advance()
    with pytest.raises(NotAllowedNow, match="submitted"):
        trio.alice.do(wish(trio, trio.alice, old, 5, 5))


# ----------------------------------------------------------------------- what happens in between


def test_another_instance_and_a_transfer_meanwhile(trio: Trio) -> None:
    """The states are made of what is agreed when they are proposed, not when they are granted."""
    old = machine(trio)
    trio.world.network.rule = lost(trio.bob, Propose)
    trio.alice.node.post(
        [
            wish(trio, trio.alice, old, 400, 400),
            CommandTransfer(trio.left, Wei(11)),
        ]
    )
    trio.ingrid.node.post([CommandTransfer(trio.right, Wei(4))])
    trio.world.settle()
    trio.world.network.rule = None
    patience(trio)
    direct = add_machine(trio.world, trio.bob, trio.right, 5, 5)
    new = resize(trio, old, 400, 400)

    assert set(listed(trio.bob, trio.right)) == {new, direct}
    assert listed(trio.alice, trio.left) == [new]
    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (61, -54)


def test_crossed_proposals_do_not_lose_the_replacement(trio: Trio) -> None:
    """Ingrid's transfer and Alice's half cross: the lower is void, and is proposed again."""
    old = machine(trio)
    trio.world.network.held = []
    trio.alice.do(wish(trio, trio.alice, old, 400, 400))
    for _ in range(60):
        trio.world.settle()
        held = trio.world.network.held
        if not held:
            break
        proposing = isinstance(decode(held[0][2]), Propose)
        if proposing and not trio.ingrid.node.books.channels[trio.left].proposals:
            trio.ingrid.do(CommandTransfer(trio.left, Wei(3)))
        trio.world.network.hand_over(0)
    trio.world.network.release()
    trio.world.network.held = None
    trio.world.settle()
    patience(trio)

    (only,) = listed(trio.alice, trio.left)
    assert listed(trio.bob, trio.right) == [only]
    assert hub_gain(trio) == -3


@pytest.mark.parametrize("side", ["left", "right"])
def test_dispute_in_one_channel_stops_both_halves(trio: Trio, side: str) -> None:
    old = machine(trio)
    end = trio.alice if side == "left" else trio.bob
    trio.world.network.rule = lost(end, Propose)
    new = resize(trio, old, 400, 400)
    end.do(CommandDispute(getattr(trio, side)))
    trio.world.network.rule = None
    trio.world.advance(5)
    patience(trio)

    assert new not in listed(trio.ingrid, trio.left) + listed(trio.ingrid, trio.right)
    other = trio.bob if side == "left" else trio.alice
    assert listed(other, trio.right if side == "left" else trio.left) == [old]
    for _ in range(1_200):
        trio.world.advance(12)
        if all(v.final.ended for v in end.node.books.channels.values()):
            break
    # Alice's 50 went to Bob, whoever was disputing.
    gains = [trio.world.ledger.paid.get(p.account.address, 0) for p in (trio.alice, trio.bob)]
    assert gains[0 if side == "left" else 1] == (950 if side == "left" else 1_050)


def test_outcome_of_the_old_machine_meanwhile_is_what_counts(trio: Trio) -> None:
    old = machine(trio)
    trio.world.network.rule = lost(trio.bob, Propose)
    resize(trio, old, 400, 400)
    terms = instance(trio.alice, old).machine
    assert terms is not None
    trio.world.submit_totals(terms, 50, 0)
    trio.world.ledger.advance(700)
    trio.world.network.rule = None
    trio.world.settle()
    patience(trio)
    patience(trio)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (50, 0)


def test_hub_restarting_between_its_two_signatures_signs_both(trio: Trio) -> None:
    old = machine(trio)
    trio.ingrid.signer.slow = []
    new = resize(trio, old, 400, 400)
    (both,) = trio.ingrid.signer.slow
    assert len(both.items) == 2
    trio.ingrid.signer.slow = None
    trio.ingrid.restart()
    trio.world.settle()
    trio.world.advance()

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == [new]


KINDS = [Invite, Invited, Leave, RequestInstance, GrantInstance, Propose, AnswerState, ReadySigned]


@pytest.mark.parametrize("by", ["alice", "ingrid", "bob"])
@pytest.mark.parametrize("kind", [*KINDS, RefuseInstance], ids=lambda kind: kind.__name__)
def test_lost_messages_leave_one_machine_that_is_good(trio: Trio, by: str, kind: type) -> None:
    old = machine(trio)
    trio.world.network.rule = lost(getattr(trio, by), kind)
    trio.alice.do(wish(trio, trio.alice, old, 400, 400))
    trio.world.settle()
    patience(trio)
    trio.world.network.rule = None
    for party in trio.world.parties:
        for peer in trio.world.parties:
            party.node.meet(peer.peer)
    trio.world.settle()
    patience(trio)

    _one_machine_that_is_good(trio, old)


def _one_machine_that_is_good(trio: Trio, old: MachineId) -> None:
    (only,) = listed(trio.alice, trio.left)
    id = MachineId(only)
    assert listed(trio.bob, trio.right) == listed(trio.ingrid, trio.left) == [only]
    assert hub_gain(trio) == 0
    pay(trio, trio.alice, id, 4)
    pay(trio, trio.bob, id, 1)
    trio.bob.do(CommandRemove(id))
    trio.world.settle()
    patience(trio)
    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (53, 0)
    assert old not in trio.ingrid.node.books.hub_instances


@pytest.mark.parametrize("who", ["alice", "ingrid", "bob"])
def test_power_may_fail_at_any_write(who: str) -> None:
    """Before the n-th write of one party, for every n that there is."""
    done, number = False, 0
    while not done:
        trio = trio_with()
        old = machine(trio)
        party: Party = getattr(trio, who)
        store = party.store
        assert isinstance(store, MemoryStore)
        store.crash_before = number
        command = wish(trio, trio.alice, old, 400, 400)
        done = not _with_power_cut(trio, party, store, command)
        patience(trio)
        _one_machine_that_is_good(trio, old)
        number += 1
    assert number >= 3


def _with_power_cut(trio: Trio, party: Party, store: MemoryStore, command: Command) -> bool:
    """Whether the power failed."""
    trio.alice.node.post([command])
    try:
        trio.world.settle()
    except StoreFault:
        store.crash_before = None
        party.restart()
        for other in trio.world.parties:
            if other is not party:
                other.node.meet(party.peer)
                party.node.meet(other.peer)
        trio.world.settle()
        return True
    store.crash_before = None
    return False


def test_what_replaced_and_was_replaced_leaves_the_store_in_time(trio: Trio) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 30, 20, trio.bob, life=1_000)
    new = resize(trio, old, 40, 40, life=2_000)
    trio.alice.do(CommandRemove(new))
    trio.world.settle()
    for _ in range(60):
        trio.world.advance(60)

    for party in trio.world.parties:
        books = party.node.books
        assert (books.instances, books.totals, books.hub_instances) == ({}, {}, {})


def test_validity_is_of_no_use_to_whom_comes_back_too_late(trio: Trio) -> None:
    """Nobody has proposed when the old machine ends: it is submitted, and removed as decided."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob, life=1_000)
    pay(trio, trio.alice, old, 50)
    trio.world.network.lose(GrantInstance)
    resize(trio, old, 400, 400)
    end = UnixTime(trio.world.ledger.time + 2_000)
    while trio.world.ledger.time < end:
        trio.world.advance(12)
    trio.world.network.lose()
    patience(trio)

    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []
    assert (net(trio.bob, trio.right), hub_gain(trio)) == (-50, 0)
