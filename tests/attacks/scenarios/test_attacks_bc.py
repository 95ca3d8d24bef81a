"""B10, B11, C1, C2, C5, C8: joining, old stores, refusals, waiting, drawing, finality."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.inputs import (
    CommandClose,
    CommandDispute,
    CommandFund,
    CommandPay,
    CommandRemove,
    CommandTransfer,
)
from perun.core.notices import ExitOnly, ProposalRefused
from perun.core.state import HubStage, Stage
from perun.encoding import channel_id
from perun.encoding.messages import OfferChannel, Propose
from perun.testing.parties import key_of
from perun.testing.stories import leave_invitation_open
from perun.types import ETH, Address, Channel, MachineId, Nonce, Seconds, Signature, Wei
from tests.attacks.scenarios.story import Story, of
from tests.games.simulation.disk import Disk


def _offer(story: Story, **changes: object) -> Channel:
    """Alice offers Bob a channel that is sound but for these changes; she signs no proof."""
    alice, bob = story.alice, story.bob
    channel = Channel(
        alice.key.address,
        bob.account.address,
        alice.key.address,
        bob.key.address,
        ETH,
        Seconds(900),
        Nonce(77),
    )
    channel = replace(channel, **changes)
    message = OfferChannel(channel, Wei(100), Wei(100), False, Signature(b""), False)
    story.say(alice, bob, message)
    story.talk()
    story.blocks(3)
    return channel


def test_b10_offer_that_is_sound_is_joined() -> None:
    story = Story("alice")
    id = channel_id(story.world.deployment.contract, _offer(story))
    assert story.bob.node.books.channels[id].stage is Stage.JOINED


def test_b10_nothing_unsound_is_joined_or_funded() -> None:
    stranger = key_of("nobody").address
    contract = Story().world.deployment.contract.contract
    for place, changes in enumerate(
        (
            {"bob_key": key_of("alice").address},
            {"bob_key": stranger},
            {"bob": stranger},
            {"alice_key": stranger},
            {"alice": stranger},
            {"alice": Address(bytes(20))},
            {"alice": contract, "alice_key": contract},
            {"challenge": Seconds(0)},
            {"challenge": Seconds(2**32 - 1)},
            {"asset": stranger},
        )
    ):
        if place in (0, 4, 8):
            story = Story("alice")  # offers that were refused are kept: a few stories are enough
        id = channel_id(story.world.deployment.contract, _offer(story, **changes))
        view = story.bob.node.books.channels.get(id)
        joined = view is not None and view.stage is Stage.JOINED
        assert not joined or story.world.chain.head.number == 0, changes
        assert view is None or (view.final.bob, view.deposits) == (0, ()), changes


def test_b11_restored_backup_signs_nothing_and_gets_its_money_out() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    backup = dict(story.alice.store._rows)
    for _ in range(3):
        assert story.bob.do(CommandTransfer(id, Wei(20)))
        story.talk()
    assert story.alice.witness is not None
    story.alice.witness.transferred.clear()  # what the old copy says again counts once
    story.alice.witness.copied = True
    # The disk dies; an old copy is put in its place, which knows that it is one.
    old = Disk(story.alice.power)
    old._rows, old.exit_only = backup, True
    story.alice.store = old
    story.alice.restart()
    story.talk()
    view = story.alice.node.books.channels[id]
    assert view.agreed is not None
    assert view.agreed.state.net == -60, "Bob has shown the newest state"
    assert [notice for notice in story.alice.notices if isinstance(notice, ExitOnly)]
    assert not story.alice.do(CommandTransfer(id, Wei(1)))
    assert not story.alice.do(CommandPay(MachineId(story.direct(story.alice).id), Wei(1)))
    assert story.alice.do(CommandDispute(id))
    story.end()
    assert story.gain(story.alice) == 60 - 1


def test_b11_old_store_that_does_not_know_it_learns_it_from_the_peer() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    image = dict(story.alice.store._rows)
    for _ in range(3):
        assert story.alice.do(CommandTransfer(id, Wei(20)))
        story.talk()
    # The image of a whole disk: nothing on the machine can tell.
    assert story.alice.witness is not None
    story.alice.witness.copied = True
    story.alice.store._rows = image
    story.alice.restart()
    assert not story.alice.node.books.exit_only
    story.talk()
    assert story.alice.node.books.exit_only
    assert not story.alice.do(CommandTransfer(id, Wei(1)))
    story.end()


def test_b11_lost_state_is_made_good_by_an_honest_peer() -> None:
    """field.md C, lost local state: the money is where the peer's newest signatures say."""
    story = Story()
    id = story.channel(story.alice, story.bob).id
    backup = dict(story.alice.store._rows)
    assert story.bob.do(CommandTransfer(id, Wei(150)))
    story.talk()
    old = Disk(story.alice.power)
    old._rows, old.exit_only = backup, True
    story.alice.store = old
    assert story.alice.witness is not None
    story.alice.witness.copied = True
    # Alice is alone with her backup and goes to the chain with what it holds.
    story.world.network.leave(story.bob.peer)
    story.alice.restart()
    assert story.alice.do(CommandDispute(id))
    story.world.step_time()
    story.world.step_time()
    story.blocks(5)
    dispute = story.bob.node.books.channels[id].head.dispute
    assert dispute is not None
    full = story.bob.node.books.channels[id].agreed
    assert full is not None
    assert dispute.version == full.state.version, "Bob has answered with the newest"
    story.end()


def test_c5_open_draws_once_also_after_the_channel_has_been_emptied() -> None:
    story = Story("alice")
    id = story.channel(story.ingrid, story.alice).id
    (leave,) = [leave for leave in story.mind.opens if leave.channel == id]
    for _ in range(2):
        found = story.mind.open_both(leave)
        assert found is not None
        transaction = story.world.send(*found)
        story.blocks(1)
        assert not story.world.chain.mined[transaction.hash].succeeded
        # Closed and emptied as soon as Ingrid lets it be, by when the Open has lapsed.
        story.alice.do(CommandRemove(story.virtual(story.alice).id))
        story.talk()
        story.until(leave.valid_until + 30)
        story.blocks(3)
        story.alice.do(CommandClose(id))
        story.talk()
        story.blocks(4)
    assert story.ingrid.node.books.channels[id].final.ended
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_c5_one_peer_gets_one_open_at_a_time() -> None:
    story = Story("alice")
    assert story.ingrid.witness is not None
    before = set(story.ingrid.witness.opens)
    story.until(max(leave.valid_until for leave in before) + 30)
    story.blocks(4)
    for _ in range(2):
        assert story.users.offer(0, 0, 0, 0)
    story.talk()
    story.blocks(1)
    assert len(story.ingrid.witness.opens - before) == 1
    story.end()


def test_c1_refusals_never_end_a_channel() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    for turn in range(12):
        actor = story.alice if turn % 2 else story.bob
        other = story.bob if turn % 2 else story.alice
        # A transfer that takes money from the answerer is held for its user, and refused in time.
        view = actor.node.books.channels[id]
        assert not view.proposals
        full = view.agreed.state if view.agreed is not None else None
        version = view.signed
        assert actor.do(CommandTransfer(id, Wei(1)))
        story.talk(of(actor, Propose))
        story.patience(of(other))
        story.patience()
        story.patience()
        now = actor.node.books.channels[id]
        assert not now.proposals
        assert now.signed > version
        assert full is not None
    story.end()


def test_c1_proposal_that_is_refused_leaves_the_channel_idle() -> None:
    story = Story("bob")
    id = story.channel(story.alice, story.bob).id
    view = story.alice.node.books.channels[id]
    assert view.agreed is not None
    key = story.bob.key.address
    for _ in range(4):
        now = story.alice.node.books.channels[id]
        assert now.agreed is not None
        version = max(now.signed, now.seen) + 1
        version += version % 2 == 0
        taking = replace(now.agreed.state, version=version, net=Wei(now.agreed.state.net + 30))
        story.say(story.bob, story.alice, Propose(taking, story.mind.sign(key, taking), 0))
        story.world.clock = type(story.world.clock)(story.world.clock + 60)
        story.alice.turn()
        story.world.step_time(1)
        story.talk()
        story.world.clock = type(story.world.clock)(story.world.clock + 15)
        story.alice.turn()
        story.talk()
        after = story.alice.node.books.channels[id]
        assert after.agreed is not None
        assert after.agreed.state.net == view.agreed.state.net
        assert not after.held
    story.end()


def test_c2_end_that_stalls_costs_the_other_no_channel() -> None:
    story = Story("bob")
    known = set(story.ingrid.node.books.hub_instances)
    right = story.channel(story.bob, story.ingrid)
    leave_invitation_open(story.bob.node.books, right.id)  # He asks, and then does not propose.
    assert story.users.machine(0, 0, 1, 900)
    story.talk(of(story.bob, Propose))
    opening = [
        crossing
        for crossing in story.ingrid.node.books.hub_instances.values()
        if crossing.id not in known
    ]
    assert [crossing.stage for crossing in opening] == [HubStage.OPENING]
    for _ in range(4):
        story.patience(of(story.bob))
    left = story.channel(story.alice, story.ingrid)
    assert not left.proposals
    assert left.head.dispute is None
    assert any(isinstance(notice, ProposalRefused) for notice in story.alice.notices)
    assert story.alice.do(CommandTransfer(left.id, Wei(7)))
    story.talk(of(story.bob))
    now = story.alice.node.books.channels[left.id]
    assert now.agreed is not None
    assert not now.proposals
    story.end()


def test_c2_hub_with_many_requests_at_once_serves_all() -> None:
    """field.md C, deadlock under load: both ends ask for ten machines each, all at once."""
    story = Story()
    assert story.users.price(0)  # Bob pays none.
    for number in range(10):
        for who in (0, 2):
            assert story.users.machine(who, 0, 5 + 8 * (number % 2), 900 + number)
    story.world.step_time()
    story.talk()
    for _ in range(60):
        story.world.step_time(2)
        story.talk()
    hub = story.ingrid.node.books
    waiting = [view.waiting for view in hub.channels.values() if view.waiting]
    assert waiting == []
    stages = [crossing.stage for crossing in hub.hub_instances.values()]
    assert stages == [HubStage.OPEN] * len(stages)
    # 21 machines of up to 150 in a channel of 1,000: what did not fit was refused, nothing hangs.
    assert len(stages) >= 8
    assert all(not view.proposals and not view.inflight for view in hub.channels.values())
    story.end()


def test_c8_deposit_that_is_not_final_counts_for_nothing() -> None:
    """field.md C, reorg after credit."""
    story = Story("alice")
    id = story.channel(story.bob, story.alice).id
    assert story.alice.do(CommandFund(id, Wei(5_000)))
    story.world.step_time()
    story.alice.look()
    story.world.step_time()
    view = story.bob.node.books.channels[id]
    assert (view.head.alice, view.final.alice) == (6_000, 1_000)
    full = view.agreed.state if view.agreed is not None else None
    assert full is not None
    state = replace(full, version=full.version + 2 + full.version % 2, net=Wei(3_000))
    key = story.alice.key.address
    story.say(story.alice, story.bob, Propose(state, story.mind.sign(key, state), 0))
    story.talk()
    assert story.bob.witness is not None
    assert state not in set().union(*story.bob.witness.states.values())
    # And the block is taken back.
    story.world.reorganise(2, keep=False)
    story.world.chain.pool.clear()
    story.world.network.leave(story.alice.peer)
    for _ in range(4):
        story.world.step_time()
    story.end()


def test_c8_submission_that_is_taken_back_is_sent_again_in_time() -> None:
    story = Story("alice")
    machine = story.virtual(story.bob)
    assert machine.machine is not None
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(50)))
    story.talk()
    story.world.network.leave(story.alice.peer)
    story.until(machine.machine.validity - story.world.limits.margin)
    for _ in range(3):
        story.world.step_time()
        on = story.bob.node.books.instances[machine.id].head
        if on is not None and on.paid_by_alice == 50:
            break
    assert on.paid_by_alice == 50
    story.world.reorganise(2, keep=False)
    story.world.chain.pool.clear()
    for _ in range(4):
        story.world.step_time()
    assert story.bob.node.books.instances[machine.id].head.paid_by_alice == 50
    story.end()
    assert story.gain(story.bob) >= 50


def test_c8_outcome_is_applied_off_chain_only_from_a_final_block() -> None:
    story = Story()
    machine = story.direct(story.bob)
    id = machine.legs[0].channel
    assert machine.machine is not None
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(30)))
    story.talk()
    story.until(machine.machine.validity + 1)
    deadline = story.bob.node.books.instances[machine.id].head.deadline
    assert deadline
    story.until(deadline)
    story.world.mine(at=deadline + 1)
    story.talk()
    view = story.bob.node.books.channels[id]
    assert view.agreed is not None
    assert view.agreed.state.nanos, "done in the newest block, not yet in a final one"
    story.blocks(4)
    view = story.bob.node.books.channels[id]
    assert view.agreed is not None
    assert (view.agreed.state.net, view.agreed.state.nanos) == (30, ())
    assert story.alice.do(CommandClose(id))
    story.talk()
    story.blocks(4)
    story.end()
