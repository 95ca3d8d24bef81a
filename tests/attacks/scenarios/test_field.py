"""What has bitten others: transactions late, nonces shared, ends that fall silent or conspire."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.bindings.calls import Call
from perun.core.inputs import CommandFund, CommandPay, CommandRemove, CommandTransfer
from perun.core.state import ChannelView
from perun.encoding.messages import Propose
from perun.types import MachineId, Version, Wei
from tests.attacks.scenarios.story import Story, of
from tests.games.simulation.theatre import DEPOSIT


def test_transaction_that_seemed_lost_and_mines_later_happens_once() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    assert story.alice.do(CommandFund(id, Wei(70)))
    story.alice.look()
    # Nobody mines it for a while: it is bid for again, and never given up or doubled.
    for _ in range(6):
        story.world.mine([], at=story.world.chain.now + 12)
    attempts = list(story.world.chain.pool.values())
    assert len(attempts) == 1
    story.alice.restart()
    story.blocks(5)
    assert story.alice.node.books.channels[id].final.alice == DEPOSIT + 70
    story.blocks(10)
    assert story.alice.node.books.channels[id].final.alice == DEPOSIT + 70
    story.end()


def test_deposit_that_came_too_late_is_not_made() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    assert story.alice.do(CommandFund(id, Wei(70)))
    story.alice.look()
    until = story.world.chain.now + story.world.limits.offer_validity
    while story.world.chain.now <= until + 60:
        story.world.mine([], at=story.world.chain.now + 12)
    story.blocks(6)
    view = story.alice.node.books.channels[id]
    assert (view.final.alice, view.deposits) == (DEPOSIT, ())
    assert story.alice.do(CommandFund(id, Wei(71)))
    story.blocks(6)
    assert story.alice.node.books.channels[id].final.alice == DEPOSIT + 71
    story.end()


def test_nonce_taken_by_another_wallet_delays_and_loses_nothing() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    assert story.alice.do(CommandFund(id, Wei(70)))
    # The same account is used by hand at the same moment, with a higher bid.
    story.world.send(story.alice.account.address, Call(story.bob.account.address, b""), bid=10**12)
    story.alice.look()
    story.blocks(8)
    assert story.alice.node.books.channels[id].final.alice == DEPOSIT + 70
    story.end()


def test_silent_ends_give_the_hub_its_locks_back() -> None:
    story = Story("alice", "bob")
    machine = story.virtual(story.ingrid)
    assert machine.machine is not None
    for actor in (story.alice, story.bob):
        story.world.network.leave(actor.peer)
    story.until(machine.machine.validity + machine.machine.challenge + 1)
    story.blocks(4)
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_colluding_ends_cannot_show_two_channels_two_outcomes() -> None:
    story = Story("alice", "bob")
    machine = story.virtual(story.alice)
    assert machine.machine is not None
    id = MachineId(machine.id)
    assert story.alice.do(CommandPay(id, Wei(40)))
    story.talk()
    # One total for each channel, one block after the other, and old states in both.
    for own in (10, 200, 90):
        call = story.mind.submit(id, own, 0)
        assert call is not None
        story.world.send(story.bob.key.address, call)
        story.blocks(1)
    story.learn()
    for name in ("alice", "bob"):
        actor = story.world.actor(name)
        channel = story.channel(actor, story.ingrid).id
        states = [state for state in story.mind.enforceable() if state.channel == channel]
        call = story.mind.register(states[0])
        assert call is not None
        story.world.send(actor.key.address, call)
    story.blocks(6)
    story.end()
    assert story.gain(story.ingrid) >= 0


@pytest.mark.parametrize("named", [120, 0])
def test_colluding_ends_cannot_close_at_two_totals(named: int) -> None:
    """Bob's removal takes 120 from the hub that Alice's does not bring, whatever total he names."""
    story = Story("alice", "bob")
    machine = story.virtual(story.alice)
    for actor, paid in ((story.alice, 0), (story.bob, 120)):
        totals = actor.node.books.totals.get(machine.id)
        assert totals is None
        view = story.channel(actor, story.ingrid)
        assert view.agreed is not None
        key = actor.key.address
        gain = paid if actor is story.alice else -paid
        state = replace(
            view.agreed.state,
            version=_next_version(view),
            net=Wei(view.agreed.state.net + gain),
            nanos=tuple(n for n in view.agreed.state.nanos if n.id != machine.id),
        )
        message = Propose(
            state,
            story.mind.sign(key, state),
            2,
            removes=machine.id,
            received=Wei(named if actor is story.bob else 0),
        )
        story.say(actor, story.ingrid, message)
    story.talk()
    for _ in range(3):
        story.patience()
    for actor in (story.alice, story.bob):
        full = story.ingrid.node.books.channels[story.channel(actor, story.ingrid).id].agreed
        assert full is not None
        assert machine.id in {nano.id for nano in full.state.nanos}
    story.end()
    assert story.gain(story.ingrid) >= 0


def _next_version(view: ChannelView) -> Version:
    least = max(view.signed, view.seen) + 1
    return Version(least + (least % 2 != view.role.value))


def test_hub_that_disappears_leaves_everybody_a_way_out() -> None:
    story = Story("ingrid")
    machine = story.virtual(story.alice)
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(33)))
    story.talk()
    story.world.network.leave(story.ingrid.peer)
    assert story.alice.do(CommandRemove(machine.id))
    story.patience(of(story.ingrid))
    story.end()
    assert story.gain(story.bob) >= 33
    assert story.gain(story.alice) >= -34


def test_power_cut_in_the_middle_of_paying_loses_no_payment() -> None:
    story = Story()
    machine = story.direct(story.alice)
    id = MachineId(machine.id)
    for number in range(30):
        payer, payee = (story.alice, story.bob) if number % 3 else (story.bob, story.alice)
        victim = payer if number % 2 else payee
        victim.power.fail_at(number % 3, after=number % 4 == 0)
        payer.do(CommandPay(id, Wei(2)))
        story.talk()
        victim.power.restore()
    story.world.meet(story.alice, story.bob)
    story.talk()
    for one, two in ((story.alice, story.bob), (story.bob, story.alice)):
        sent = one.node.books.totals[machine.id].sent
        assert sent == two.node.books.totals[machine.id].received
        assert sent > 0
    assert story.world.seen["power cuts"] >= 10
    story.end()


def test_both_transfer_at_once_again_and_again() -> None:
    story = Story()
    id = story.channel(story.alice, story.bob).id
    for _ in range(6):
        assert story.alice.do(CommandTransfer(id, Wei(3)))
        assert story.bob.do(CommandTransfer(id, Wei(2)))
        story.talk()
        story.patience()
    full = story.alice.node.books.channels[id].agreed
    assert full is not None
    assert full.state.net == 6
    story.end()
