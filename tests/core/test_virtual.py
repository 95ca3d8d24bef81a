"""Virtual channels and hash locks over a hub: neither until both, rules (a) to (d), patience."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    ChainInstance,
    CommandAddMachine,
    CommandDispute,
    CommandPay,
    CommandRemove,
    Input,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.notices import InstanceRefused, ProposalRefused, VirtualReady
from perun.core.state import HubStage, Intent, LegStatus, Purpose
from perun.core.states.proposing import want
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Invited,
    Leave,
    Over,
    Pay,
    Propose,
    ReadySigned,
    RequestInstance,
    decode,
)
from perun.testing.network import Letter
from perun.testing.parties import LIMITS, Party, World
from perun.testing.stories import (
    OPEN_HANDED,
    SECRET,
    add_lock,
    add_machine,
    hub_policy,
    instance,
    leave_invitation_open,
    open_channel,
)
from perun.types import ChannelId, Seconds, UnixTime, Wei

from .conftest import Trio
from .crafted import carry_out
from .ends import net


def nanos(party: Party, id: ChannelId) -> int:
    full = party.node.books.channels[id].agreed
    return len(full.state.nanos) if full else 0


def hub_gain(trio: Trio) -> int:
    """What Ingrid, Bob of both channels, has gained by fully signed states."""
    return net(trio.ingrid, trio.left) + net(trio.ingrid, trio.right)


def without(sender: Party, *kinds: type):  # type: ignore[no-untyped-def]
    """A rule that loses what one party says of some kinds."""

    def rule(letter: Letter) -> tuple[Letter, ...]:
        lost = letter[0] == sender.peer and isinstance(decode(letter[2]), kinds)
        return () if lost else (letter,)

    return rule


def test_open_pay_close_while_the_hub_signs_nothing(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    asked = trio.ingrid.signer.asked
    assert trio.alice.told(VirtualReady) == trio.bob.told(VirtualReady) == [VirtualReady(machine)]

    trio.alice.node.post([CommandPay(machine, Wei(1))] * 120)
    trio.world.settle()
    trio.bob.do(CommandPay(machine, Wei(20)))
    trio.world.settle()
    assert trio.ingrid.signer.asked == asked

    trio.bob.do(CommandRemove(machine))
    trio.world.settle()
    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (100, -100)
    assert hub_gain(trio) == 0
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 0
    assert trio.ingrid.node.books.hub_instances == {}


def test_both_ends_may_want_to_close_at_once(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(7)))
    trio.bob.do(CommandPay(machine, Wei(3)))
    trio.alice.node.post([CommandRemove(machine)])
    trio.bob.node.post([CommandRemove(machine)])
    trio.world.settle()

    assert net(trio.alice, trio.left) == 4
    assert hub_gain(trio) == 0


def test_messages_between_the_ends_never_come_to_the_hub(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(7)))
    trio.world.settle()

    said = [(by, to, decode(frame)) for by, to, frame in trio.world.network.seen]
    between = [(by, to, decode(m.message)) for by, to, m in said if isinstance(m, Over)]
    assert {Pay, ReadySigned, Invited} <= {type(message) for _, _, message in between}
    assert all(trio.ingrid.peer not in (by, to) for by, to, _ in between)
    assert not [m for _, _, m in said if isinstance(m, (Pay, ReadySigned, Leave, Invited))]


def test_fee_is_paid_with_the_adding_state() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(base_fee=Wei(5), amount_ppm=10_000))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    add_machine(world, alice, left, 300, 200, bob)

    # 5 and one per cent of the 500 that the hub locks in all.
    assert (net(alice, left), net(bob, right)) == (10, 0)


def test_fee_above_what_we_allow_is_not_paid() -> None:
    world = World()
    alice = world.party("alice", replace(OPEN_HANDED, greatest_fee=Wei(4)))
    bob = world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(base_fee=Wei(5)))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    open_channel(world, bob, ingrid, 1_000, 1_000)
    add_machine(world, alice, left, 300, 200, bob)
    for _ in range(4):
        world.advance(20)

    assert alice.told(InstanceRefused)
    assert nanos(bob, bob.channel(ingrid).id) == 0
    assert ingrid.node.books.hub_instances == {}


@pytest.mark.parametrize("silent", ["alice", "bob"])
def test_hub_signs_neither_until_both(trio: Trio, silent: str) -> None:
    party: Party = getattr(trio, silent)
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.world.network.rule = without(party, Propose)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)

    statuses = {leg.status for leg in instance(trio.ingrid, machine).legs}
    assert statuses == {LegStatus.NEW}
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 0


def test_c2_stalling_end_is_waited_for_no_longer_than_patience(trio: Trio) -> None:
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.world.network.rule = without(trio.bob, Propose)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = None
    trio.bob.node.books.channels[trio.right] = replace(
        trio.bob.node.books.channels[trio.right], proposals=()
    )
    trio.world.advance(11)

    # Alice is out of limbo: the refusal is fully signed, and her channel is idle for others.
    view = trio.alice.node.books.channels[trio.left]
    assert view.proposals == ()
    assert trio.alice.told(ProposalRefused)
    assert trio.ingrid.node.books.channels[trio.left].inflight is None
    assert machine not in trio.ingrid.node.books.hub_instances


def hold_back_instances(party: Party) -> list[ChainInstance]:
    """What a party's chain says of instances does not arrive."""
    held: list[ChainInstance] = []
    post = party.node.post

    def inbox(told: Sequence[Input]) -> None:
        held.extend(one for one in told if isinstance(one, ChainInstance))
        post([one for one in told if not isinstance(one, ChainInstance)])

    party.chain.inbox = inbox
    return held


def test_pair_that_waits_for_a_fresh_view_is_signed_at_the_next_block(trio: Trio) -> None:
    """The instance is watched from a block on that is too old already: nobody can sign then."""
    hub = trio.ingrid
    held = hold_back_instances(hub)
    hub.clock.ahead = LIMITS.freshness
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    hub.clock.ahead += LIMITS.patience + 1
    hub.node.post(held)
    hub.node.turn()
    hub.clock.ahead += 1
    hub.node.turn()
    hub.clock.ahead = 0
    assert hub.node.books.hub_instances[machine].stage is HubStage.OPENING

    hub.chain.inbox = hub.node.post
    trio.world.advance(LIMITS.freshness + LIMITS.patience + 1)
    assert hub.node.books.hub_instances[machine].stage is HubStage.OPEN
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 1


def test_half_that_waits_while_the_view_is_stale_is_refused_when_it_is_fresh(trio: Trio) -> None:
    """A removal of which the other half never comes: the channel is not kept busy for ever."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = without(trio.bob, Propose)
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    hub = trio.ingrid
    assert hub.node.books.hub_instances[machine].stage is HubStage.CLOSING
    hub.clock.ahead = LIMITS.freshness + 1
    hub.node.turn()
    hub.clock.ahead = 0
    trio.world.advance(LIMITS.freshness + 2)
    trio.world.advance(LIMITS.patience + 1)
    assert hub.node.books.channels[trio.left].held is None


def hub_is_impatient_before_it_meets_alice(trio: Trio) -> None:
    """It is started again with a half of hers, and hears nothing of her for long."""
    alice = trio.alice.peer
    trio.world.network.rule = lambda letter: () if letter[0] == alice else (letter,)
    trio.ingrid.restart()
    trio.world.settle()
    view = trio.ingrid.node.books.channels[trio.left]
    assert (view.met, view.held is None) == (False, False)
    for _ in range(2):
        trio.world.advance(LIMITS.patience + 1)
    trio.world.network.rule = without(trio.bob, Propose, Invited)
    trio.ingrid.node.meet(alice)
    trio.alice.node.meet(trio.ingrid.peer)
    trio.world.settle()
    trio.world.advance()


def test_half_of_whom_the_hub_has_not_met_again_is_refused_once_it_has(trio: Trio) -> None:
    """A removal of which the other half never comes, and a hub that was started again: patience
    ends before the peer has shown its newest state, so nothing can be signed for it yet."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = without(trio.bob, Propose)
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    hub_is_impatient_before_it_meets_alice(trio)
    assert trio.ingrid.node.books.channels[trio.left].held is None
    assert trio.ingrid.node.books.hub_instances[machine].stage is HubStage.OPEN
    assert trio.alice.node.books.channels[trio.left].proposals == ()


def test_new_instances_half_is_refused_too_once_its_peer_is_met_again(trio: Trio) -> None:
    trio.world.network.rule = without(trio.bob, Propose)
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.alice.do(_machine_command(trio.world, trio.alice, trio.left, trio.bob))
    trio.world.settle()
    hub_is_impatient_before_it_meets_alice(trio)

    assert trio.ingrid.node.books.channels[trio.left].held is None
    assert trio.alice.node.books.channels[trio.left].proposals == ()
    assert trio.ingrid.node.books.hub_instances == {}


def test_end_that_does_not_show_itself_holds_no_channel_but_its_own() -> None:
    """Attack: with a half of hers at a hub that is started again she stays away: it cannot be
    refused before she has shown her state, and nobody else must wait for that."""
    world = World()
    alice, bob, carol = (world.party(name, OPEN_HANDED) for name in ("alice", "bob", "carol"))
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    ends = (alice, bob, carol)
    hers, his, third = (open_channel(world, end, ingrid, 1_000, 1_000) for end in ends)
    world.network.rule = without(bob, Propose)
    for end, id in ((alice, hers), (bob, his)):
        leave_invitation_open(end.node.books, id)
    alice.do(_machine_command(world, alice, hers, bob))
    world.settle()
    (crossing,) = ingrid.node.books.hub_instances.values()
    assert crossing.stage is HubStage.OPENING
    assert ingrid.node.books.channels[hers].held is not None

    world.network.rule = lambda letter: () if letter[0] == alice.peer else (letter,)
    ingrid.restart()
    world.advance(1)
    for _ in range(4):
        world.advance(LIMITS.patience + 1)
    view = ingrid.node.books.channels[hers]
    assert (view.met, view.held is None) == (False, False)
    carol.do(_machine_command(world, carol, third, bob))
    world.settle()
    world.advance()
    assert nanos(carol, third) == nanos(bob, his) == 1

    world.network.rule = None
    for one, other in ((alice, ingrid), (ingrid, alice)):
        one.node.meet(other.peer)
    world.settle()
    world.advance()
    assert ingrid.node.books.channels[hers].held is None
    assert alice.node.books.channels[hers].proposals == ()


def test_c2_requests_in_a_circle_all_come_about() -> None:
    world = World()
    ends = [world.party(name, OPEN_HANDED) for name in ("alice", "bob", "carol")]
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    ids = [open_channel(world, end, ingrid, 1_000, 1_000) for end in ends]
    for index, end in enumerate(ends):
        other = ends[(index + 1) % 3]
        add_command = _machine_command(world, end, ids[index], other)
        end.node.post([add_command])
    world.settle()
    world.advance()

    assert [nanos(end, id) for end, id in zip(ends, ids, strict=True)] == [2, 2, 2]


def _machine_command(world: World, end: Party, id: ChannelId, other: Party) -> CommandAddMachine:

    validity = UnixTime(world.ledger.time + 10_000)
    return CommandAddMachine(id, Wei(10), Wei(10), validity, Seconds(600), end.random(), other.peer)


def test_a1_one_end_keeping_silent_at_the_removal_gets_no_signature(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = without(trio.bob, Propose)
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    assert nanos(trio.ingrid, trio.left) == 1

    trio.world.advance(11)
    assert nanos(trio.ingrid, trio.left) == nanos(trio.ingrid, trio.right) == 1
    assert hub_gain(trio) == 0
    # The refusal has put the machine back in order: it may be paid in, and left, again.
    # Bob's own half is refused likewise when it arrives.
    trio.world.network.rule = None
    trio.world.advance(20)
    trio.world.advance(12)
    trio.alice.do(CommandPay(machine, Wei(9)))
    trio.world.settle()
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    assert net(trio.bob, trio.right) == -9


def test_a2_payer_does_not_pay_before_the_other_end_is_ready(trio: Trio) -> None:
    held: list[Letter] = []

    def rule(letter: Letter) -> tuple[Letter, ...]:
        """Ingrid answers Alice's half and keeps Bob's answer and his Ready to herself."""
        message = decode(letter[2])
        to_bob = letter[0] == trio.ingrid.peer and letter[1] == trio.bob.peer
        if to_bob and isinstance(message, AnswerState):
            held.append(letter)
            return ()
        return (letter,)

    trio.world.network.rule = rule
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)

    assert instance(trio.alice, machine).legs[0].status is LegStatus.LISTED
    with pytest.raises(NotAllowedNow, match="ready"):
        trio.alice.do(CommandPay(machine, Wei(9)))
    trio.world.network.rule = None
    (letter,) = held
    trio.bob.node.receive(letter[0], (letter[2],))
    trio.world.settle()
    trio.alice.do(CommandPay(machine, Wei(9)))


def test_a6_hub_signs_nothing_when_one_channel_is_in_dispute(trio: Trio) -> None:
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.world.network.rule = without(trio.bob, Propose)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    trio.bob.do(CommandDispute(trio.right))
    trio.world.network.rule = None
    trio.world.advance(5)

    assert nanos(trio.ingrid, trio.left) == 0
    assert {leg.status for leg in instance(trio.ingrid, machine).legs} == {LegStatus.NEW}


def test_rule_c_receiver_cashes_a_one_way_machine_while_the_payer_is_offline(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.world.network.leave(trio.alice.peer)

    draft = Draft(trio.bob.node.books)
    want(draft, trio.right, Intent(Purpose.REMOVE, removes=machine))
    carry_out(trio.bob, draft)
    trio.world.settle([trio.bob, trio.ingrid])
    for _ in range(2):
        trio.world.ledger.advance(11)
        trio.world.settle([trio.bob, trio.ingrid])

    assert net(trio.bob, trio.right) == -40
    assert trio.ingrid.node.books.hub_instances[machine].stage is HubStage.HALF
    # Alice is back, and follows: rule (d).
    trio.alice.restart()
    trio.world.settle()
    trio.world.advance(12)
    assert (net(trio.alice, trio.left), hub_gain(trio)) == (40, 0)
    assert trio.ingrid.node.books.hub_instances == {}


def test_rule_c_hub_submits_its_evidence_when_the_payer_never_follows(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob, life=2_000)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.world.network.leave(trio.alice.peer)

    draft = Draft(trio.bob.node.books)
    want(draft, trio.right, Intent(Purpose.REMOVE, removes=machine))
    carry_out(trio.bob, draft)
    others = [trio.bob, trio.ingrid]
    for _ in range(200):
        trio.world.ledger.advance(12)
        trio.world.settle(others)

    assert trio.world.ledger.instances[machine].paid_by_alice == 40


def test_two_way_machine_is_never_removed_from_one_channel_alone(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.world.network.rule = without(trio.alice, Propose)
    trio.bob.do(CommandRemove(machine))
    trio.world.settle()
    trio.world.advance(11)
    trio.world.advance(11)

    assert nanos(trio.ingrid, trio.right) == 1
    assert hub_gain(trio) == 0


def test_rules_a_and_d_outcome_is_applied_off_chain_in_both_channels(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    terms = instance(trio.alice, machine).machine
    assert terms is not None
    trio.world.submit_totals(terms, 60, 10)
    trio.world.advance()
    assert nanos(trio.alice, trio.left) == 1
    trio.world.advance(700)
    trio.world.advance()

    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (50, -50)
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 0


def test_rule_b_lapsed_machine_is_removed_with_shift_zero(trio: Trio) -> None:
    add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob, life=1_000)
    trio.world.advance(1_700)
    trio.world.advance()

    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (0, 0)
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 0


def test_hash_lock_over_the_hub_pays_receiver_then_hub(trio: Trio) -> None:
    lock = add_lock(trio.world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob)
    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 1
    trio.bob.do(CommandReveal(lock, SECRET))
    trio.world.settle()

    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (70, -70)
    assert instance(trio.alice, lock).preimage == SECRET


def test_what_a_hub_has_refused_is_asked_for_no_more(trio: Trio) -> None:
    """Else nothing would be proposed unasked in that channel as long as it is remembered."""
    books = trio.ingrid.node.books
    books.config = replace(books.config, policy=hub_policy(paused=True))
    end = UnixTime(trio.world.ledger.time + 5_000)
    locks = (Wei(300), Wei(200))
    trio.alice.do(
        CommandAddMachine(trio.left, *locks, end, Seconds(600), trio.alice.random(), trio.bob.peer)
    )
    trio.world.settle()
    assert trio.alice.told(InstanceRefused)
    assert trio.alice.channel(trio.ingrid).asked == trio.bob.channel(trio.ingrid).asked == ()


@pytest.mark.parametrize("paid", [True, False])
def test_hub_shows_the_secret_on_chain_to_a_silent_payer_if_it_has_paid(
    trio: Trio, paid: bool
) -> None:
    """The payee took its money out by the secret; the payer falls silent until its lock lapses.
    A secret on which the hub has paid nothing is the payee's to show."""
    world = trio.world
    lock = add_lock(world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob)
    world.network.rule = lambda letter: () if trio.alice.peer in letter[:2] else (letter,)
    if paid:
        trio.bob.do(CommandReveal(lock, SECRET))
    else:
        trio.ingrid.node.books.load(replace(instance(trio.ingrid, lock), preimage=SECRET))
    world.settle()
    assert nanos(trio.bob, trio.right) == (0 if paid else 1)
    trio.ingrid.do(CommandDispute(trio.left))
    for _ in range(200):
        world.advance(20)
        if lock in world.ledger.instances:
            break
    assert (lock in world.ledger.instances) is paid


def test_hash_lock_never_revealed_falls_back(trio: Trio) -> None:
    add_lock(trio.world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob, life=1_000)
    trio.world.advance(1_100)
    trio.world.advance()

    assert (net(trio.alice, trio.left), net(trio.bob, trio.right)) == (0, 0)
    assert nanos(trio.alice, trio.left) == 0


def test_lost_request_or_grant_leaves_nothing_behind(trio: Trio) -> None:
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.world.network.lose(GrantInstance)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    trio.world.network.lose()
    trio.world.advance(11)

    assert machine not in trio.ingrid.node.books.hub_instances
    leave_invitation_open(trio.bob.node.books, trio.right)
    trio.world.network.rule = without(trio.bob, RequestInstance)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    trio.world.network.rule = None
    trio.world.advance(11)
    assert machine not in trio.ingrid.node.books.hub_instances
    assert add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert nanos(trio.bob, trio.right) == 1


def test_hub_restarting_between_its_two_signatures_signs_both(trio: Trio) -> None:
    trio.ingrid.signer.slow = []
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    # Both states in one request.
    (both,) = trio.ingrid.signer.slow
    assert len(both.items) == 2
    trio.ingrid.signer.slow = None
    trio.ingrid.restart()
    trio.world.settle()
    trio.world.advance()

    assert nanos(trio.alice, trio.left) == nanos(trio.bob, trio.right) == 1
    assert {leg.status for leg in instance(trio.ingrid, machine).legs} == {LegStatus.LISTED}


def test_end_that_was_away_hears_what_it_missed(trio: Trio) -> None:
    """The hub drops what it cannot deliver; `Ready` heard again is answered with the newest."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.leave(trio.bob.peer)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.bob.restart()
    trio.world.settle()
    trio.world.advance()
    trio.bob.node.meet(trio.ingrid.peer)
    trio.world.settle()

    assert trio.bob.node.books.totals[machine].received == 40


def test_lost_ready_is_made_up_for_when_the_ends_meet_again(trio: Trio) -> None:
    said = 0

    def rule(letter: Letter) -> tuple[Letter, ...]:
        """Bob hears the invitation, and nothing that Alice says later."""
        nonlocal said
        if isinstance(decode(letter[2]), Over) and letter[1] == trio.bob.peer:
            said += 1
            return (letter,) if said == 1 else ()
        return (letter,)

    trio.world.network.rule = rule
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    assert instance(trio.alice, machine).ready
    assert not instance(trio.bob, machine).ready
    trio.world.network.rule = None
    trio.bob.node.meet(trio.ingrid.peer)
    trio.world.settle()

    assert instance(trio.bob, machine).ready
    trio.bob.do(CommandPay(machine, Wei(1)))


def test_lost_leave_is_said_again(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    trio.world.network.lose(Over)
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    trio.world.network.lose()
    trio.world.advance()

    assert (net(trio.alice, trio.left), nanos(trio.bob, trio.right)) == (40, 0)
