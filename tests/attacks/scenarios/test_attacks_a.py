"""A1 to A12: attacks by which a party that follows the rules would lose money."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign
from perun.core.inputs import (
    CommandClose,
    CommandPay,
    CommandRemove,
    CommandTransfer,
)
from perun.core.notices import PaymentRefused, ProposalRefused, VirtualReady
from perun.core.state import LegStatus
from perun.encoding.messages import (
    AnswerClose,
    AnswerState,
    OfferWithdraw,
    Propose,
    RequestInstance,
    ShowState,
)
from perun.testing.stories import leave_invitation_open
from perun.types import (
    MAX_AMOUNT,
    MachineId,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)
from tests.attacks.scenarios.story import Lost, Story, of, to
from tests.games.simulation.actor import Actor


def test_a01_removal_over_a_hub_is_both_or_neither() -> None:
    story = Story("alice", "bob")
    machine = story.virtual(story.alice)
    left = story.channel(story.ingrid, story.alice).id
    # Both agree on 0, Bob keeps his half to himself and hopes for the hub's signature on Alice's.
    assert story.alice.do(CommandRemove(machine.id))
    story.talk(of(story.bob, Propose))
    for _ in range(3):
        story.patience(of(story.bob, Propose))
    full = story.ingrid.node.books.channels[left].agreed
    assert full is not None
    assert machine.id in {nano.id for nano in full.state.nanos}

    # Then Alice pays him everything, on chain.
    call = story.mind.submit(MachineId(machine.id), 200, 0)
    assert call is not None
    story.world.send(story.bob.key.address, call)
    story.blocks()
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_a02_payer_does_not_pay_into_a_leg_that_only_the_hub_has_signed() -> None:
    story = Story("ingrid")
    known = {instance.id for instance in story.alice.instances()}
    assert story.users.machine(0, 0, 5, 900)
    # Ingrid answers Alice's half, and Bob hears nothing after he has proposed his.
    kept = _answers_to(story.bob)
    story.talk(kept)
    story.world.step_time()
    story.talk(kept)
    (machine,) = [item for item in story.alice.instances() if item.id not in known]
    assert machine.legs[0].status is LegStatus.LISTED
    assert not story.alice.do(CommandPay(MachineId(machine.id), Wei(9)))
    assert story.alice.witness is not None
    assert machine.id not in story.alice.witness.statements
    story.end()


def _answers_to(actor: Actor) -> Lost:
    def lost(_: bytes, receiver: bytes, message: object) -> bool:
        return receiver == actor.peer and isinstance(message, AnswerState | ShowState)

    return lost


def test_a03_absurd_total_does_not_undo_a_payment() -> None:
    story = Story("alice")
    machine = story.direct(story.bob)
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(6)))
    story.talk()
    assert story.received(story.bob, machine.id) == 6
    absurd = story.mind.submit(MachineId(machine.id), MAX_AMOUNT, 0)
    assert absurd is not None
    story.world.send(story.alice.key.address, absurd)
    story.blocks()
    story.end()
    assert story.gain(story.bob) >= 6


def test_a04_statement_counts_only_while_it_can_be_enforced() -> None:
    story = Story("alice")
    machine = story.direct(story.bob)
    id, key = MachineId(machine.id), story.alice.key.address
    assert machine.machine is not None
    # A submission is running: nothing more counts.
    running = story.mind.submit(id, 1, 0)
    assert running is not None
    story.world.send(key, running)
    story.blocks(1)
    story.say(story.alice, story.bob, story.mind.statement(id, key, 9))
    story.talk()
    assert story.received(story.bob, machine.id) == 0
    # Too late: a second after validity − margin, in the machine over the hub.
    other = story.virtual(story.bob)
    assert other.machine is not None
    story.until(other.machine.validity - story.world.limits.margin + 1)
    late = story.mind.statement(MachineId(other.id), key, 9)
    story.say(story.alice, story.bob, late, via=story.ingrid)
    story.talk()
    assert story.received(story.bob, other.id) == 0
    story.end()


def test_a04_silent_end_is_submitted_by_the_payee() -> None:
    story = Story("alice")
    machine = story.virtual(story.bob)
    assert machine.machine is not None
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(70)))
    story.talk()
    assert story.received(story.bob, machine.id) == 70
    story.world.network.leave(story.alice.peer)
    story.until(machine.machine.validity)
    on = story.bob.node.books.instances[machine.id].head
    assert on.paid_by_alice == 70
    story.end()
    assert story.gain(story.bob) >= 70


def test_a04_submission_with_an_older_total_is_answered() -> None:
    story = Story("alice")
    machine = story.virtual(story.bob)
    for _ in range(3):
        assert story.alice.do(CommandPay(MachineId(machine.id), Wei(20)))
        story.talk()
    old = story.mind.submit(MachineId(machine.id), 20, 0)
    assert old is not None
    story.world.send(story.alice.key.address, old)
    story.blocks(4)
    assert story.bob.node.books.instances[machine.id].head.paid_by_alice == 60
    story.end()
    assert story.gain(story.bob) >= 60


def test_a05_stale_registers_do_not_void_an_answer() -> None:
    story = Story("bob")
    id = story.channel(story.alice, story.bob).id
    for _ in range(4):
        assert story.bob.do(CommandTransfer(id, Wei(10)))
        story.talk()
    story.learn()
    old = [state for state in story.mind.enforceable() if state.channel == id]
    assert len(old) > 4
    # One stale state more in every block, always before Alice's answer.
    for state in old[:-1]:
        call = story.mind.register(state)
        assert call is not None
        story.world.send(story.bob.key.address, call)
        pool = sorted(story.world.chain.pool.values(), key=lambda item: story.world.is_honest(item))
        story.world.mine(pool, at=story.world.chain.now + 12)
    story.blocks()
    dispute = story.alice.node.books.channels[id].head.dispute
    assert dispute is not None
    assert dispute.version == old[-1].version
    story.end()
    # One of the forty has been the hub's, for the machine that crosses it.
    assert story.gain(story.alice) == 40 - 1


def test_a06_nothing_is_signed_in_a_channel_in_dispute() -> None:
    story = Story("alice", "bob")
    id = story.channel(story.ingrid, story.alice).id
    story.world.send(story.alice.key.address, story.mind.register_nothing(id))
    story.world.step_time()
    assert story.ingrid.witness is not None
    before = {key for key in story.ingrid.witness.states if key[0] == id}
    # Both halves of an opening are laid before her.
    for actor in (story.alice, story.bob):
        view = story.channel(actor, story.ingrid)
        full = view.agreed.state if view.agreed is not None else None
        assert full is not None
        state = State(view.id, Version(full.version + 2), Wei(full.net + 1), full.nanos)
        signature = story.mind.sign(actor.key.address, state)
        story.say(actor, story.ingrid, Propose(state, signature, 0))
    story.talk()
    assert {key for key in story.ingrid.witness.states if key[0] == id} == before
    story.end()


def test_a06_nothing_is_signed_on_a_stale_view() -> None:
    story = Story("alice")
    id = story.channel(story.bob, story.alice).id
    full = story.bob.node.books.channels[id].agreed
    assert full is not None
    late = story.world.chain.now + story.world.limits.freshness + 1
    story.world.clock = UnixTime(late)
    gift = replace(full.state, version=Version(full.state.version + 2), net=Wei(50))
    signature = story.mind.sign(story.alice.key.address, gift)
    story.say(story.alice, story.bob, Propose(gift, signature, 0))
    assert story.bob.witness is not None
    assert not story.bob.do(CommandTransfer(id, Wei(1)))
    assert story.bob.node.books.channels[id].signed <= full.state.version
    # With the next block it is welcome.
    story.blocks(1)
    story.say(story.alice, story.bob, Propose(gift, signature, 0))
    assert story.bob.node.books.channels[id].signed == gift.version
    story.end()


def test_a07_refusal_in_words_resolves_nothing() -> None:
    story = Story("bob")
    id = story.channel(story.alice, story.bob).id
    assert story.alice.do(CommandTransfer(id, Wei(5)))
    # Bob says nothing, or no: Alice goes on counting the worst, and closes nothing.
    story.talk(of(story.bob))
    story.patience(of(story.bob))
    view = story.alice.node.books.channels[id]
    assert [proposal.state.net for proposal in view.proposals] == [5]
    assert not story.alice.do(CommandClose(id))
    # He countersigns after all, and goes to the chain with it.
    story.learn()
    newest = max(
        (state for state in story.mind.enforceable() if state.channel == id),
        key=lambda state: state.version,
    )
    assert newest.net == 5
    call = story.mind.register(newest)
    assert call is not None
    story.world.send(story.bob.key.address, call)
    story.blocks(5)
    agreed = story.alice.node.books.channels[id].agreed
    assert agreed is not None
    assert agreed.state == newest
    story.end()


def _emptied(*crooks: str) -> Story:
    """The channel of Alice and Bob lists nothing any more."""
    story = Story(*crooks)
    assert story.alice.do(CommandRemove(story.direct(story.alice).id))
    story.talk()
    return story


def test_a08_close_kept_back_stops_everything_until_it_has_lapsed() -> None:
    story = _emptied("alice")
    view = story.channel(story.bob, story.alice)
    assert story.bob.do(CommandClose(view.id))
    story.talk(of(story.alice))
    story.learn()
    # Alice "changes her mind" and offers a state that pays Bob: he signs nothing beside the Close.
    assert story.bob.witness is not None
    states = len(story.bob.witness.states)
    full = view.agreed.state if view.agreed is not None else None
    assert full is not None
    paying = State(view.id, Version(full.version + 2), Wei(50), ())
    key = story.alice.key.address
    story.say(story.alice, story.bob, Propose(paying, story.mind.sign(key, paying), 0))
    silent = of(story.alice, AnswerClose)
    story.talk(silent)
    assert len(story.bob.witness.states) == states
    (close,) = [close for close in story.mind.closes if story.mind.closes[close]]
    story.until(close.valid_until + 5, silent)
    story.blocks(4, silent)
    assert story.bob.node.books.channels[view.id].close is None
    # Lapsed: it can no longer be mined, and business goes on.
    late = story.mind.close(close)
    assert late is not None
    transaction = story.world.send(key, late)
    story.blocks(1)
    assert not story.world.chain.mined[transaction.hash].succeeded
    assert story.bob.do(CommandTransfer(view.id, Wei(3)))
    story.end()


def test_a08_withdraw_kept_back_leaves_every_state_solvent() -> None:
    story = _emptied("alice")
    view = story.channel(story.bob, story.alice)
    now = story.world.chain.now
    wish = Withdraw(view.id, 0, Wei(500), Wei(0), UnixTime(now + 250))
    key = story.alice.key.address
    story.say(story.alice, story.bob, OfferWithdraw(wish, story.mind.sign(key, wish)))
    story.talk()
    assert story.bob.witness is not None
    assert wish in story.bob.witness.withdraws
    # She pays more than she would have left, gets the goods, and only then withdraws.
    full = story.bob.node.books.channels[view.id].agreed
    version = Version((full.state.version if full is not None else 0) + 2)
    version = Version(version + version % 2)
    paying = State(view.id, version, Wei(800), ())
    story.say(story.alice, story.bob, Propose(paying, story.mind.sign(key, paying), 0))
    story.talk()
    agreed = story.bob.node.books.channels[view.id].agreed
    assert agreed is None or agreed.state.net < 800
    story.end()


def test_a09_instance_is_locked_once_as_it_is_and_never_again() -> None:
    story = Story("alice")
    id = story.channel(story.bob, story.alice).id
    machine = story.direct(story.alice)
    full = story.bob.node.books.channels[id].agreed
    assert full is not None
    (nano,) = full.state.nanos
    key, version = story.alice.key.address, full.state.version

    def offered(nanos: tuple[object, ...]) -> None:
        nonlocal version
        seen = story.bob.node.books.channels[id]
        version = Version(max(seen.signed, seen.seen) + 1)
        version = Version(version + version % 2)
        state = State(id, version, full.state.net, nanos)  # type: ignore[arg-type, union-attr]
        story.say(story.alice, story.bob, Propose(state, story.mind.sign(key, state), 1))
        story.talk(of(story.alice))
        agreed = story.bob.node.books.channels[id].agreed
        assert agreed is not None
        assert agreed.state.nanos == (nano,)
        story.say(
            story.alice,
            story.bob,
            AnswerState(id, *_newest_answer(story, id)),
        )
        story.talk(of(story.alice))

    offered((nano, nano))
    offered((replace(nano, expiry=UnixTime(nano.expiry + 10_000)),))
    offered((replace(nano, bob_lock=Wei(0)),))
    offered((replace(nano, swapped=not nano.swapped),))
    assert machine.id == nano.id
    story.end()


def _newest_answer(story: Story, id: object) -> tuple[Version, object]:
    """Alice's countersignature of Bob's newest proposal, so that he is not left waiting."""
    view = story.bob.node.books.channels[id]  # type: ignore[index]
    state = view.proposals[-1].state
    return state.version, story.mind.sign(story.alice.key.address, state)


def test_a09_removed_instance_is_not_locked_again() -> None:
    story = Story("alice")
    machine = story.direct(story.alice)
    id = machine.legs[0].channel
    full = story.bob.node.books.channels[id].agreed
    assert full is not None
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(6)))
    story.talk()
    assert story.alice.do(CommandRemove(machine.id))
    story.talk()
    now = story.bob.node.books.channels[id].agreed
    assert now is not None
    assert (now.state.net, now.state.nanos) == (6, ())
    # The old statement would pay the six once more, to Bob; a refund would take them, from him.
    seen = story.bob.node.books.channels[id]
    version = Version(max(seen.signed, seen.seen) + 1)
    version = Version(version + version % 2)
    again = State(id, version, Wei(6), full.state.nanos)
    key = story.alice.key.address
    story.say(story.alice, story.bob, Propose(again, story.mind.sign(key, again), 1))
    story.talk(of(story.alice))
    after = story.bob.node.books.channels[id].agreed
    assert after is not None
    assert after.state.nanos == ()
    story.end()


@pytest.mark.parametrize("field", ["expiry", "alice_lock", "bob_lock"])
def test_a09_instance_is_added_as_it_is_or_not_at_all(field: str) -> None:
    story = Story("alice")
    id = story.channel(story.bob, story.alice).id
    before = story.bob.node.books.channels[id].agreed
    assert before is not None
    assert story.users.machine(0, 1, 0, 900)
    changed: list[State] = []

    def lost(sender: bytes, _: bytes, message: object) -> bool:
        """Instead of what her node proposes, Alice proposes another nano under the same id."""
        if sender != story.alice.peer or not isinstance(message, Propose) or message.adds is None:
            return False
        if not changed:
            nanos = tuple(
                replace(nano, **{field: getattr(nano, field) + 1})
                if nano.id == message.adds
                else nano
                for nano in message.state.nanos
            )
            changed.append(replace(message.state, nanos=nanos))
            signature = story.mind.sign(story.alice.key.address, changed[0])
            story.say(
                story.alice,
                story.bob,
                replace(message, state=changed[0], signature=signature),
            )
        return True

    story.talk(lost)
    assert changed
    after = story.bob.node.books.channels[id].agreed
    assert after is not None
    assert after.state.nanos == before.state.nanos
    assert story.bob.witness is not None
    assert changed[0] not in set().union(*story.bob.witness.states.values())
    story.end()


def test_a10_refund_in_a_one_way_machine_takes_nothing_from_the_hub() -> None:
    story = Story("alice", "bob")
    known = {instance.id for instance in story.alice.instances()}
    assert story.users.machine(0, 0, 5, 900)  # one way, from Alice, over the hub
    story.talk()
    story.blocks(1)
    (machine,) = [item for item in story.alice.instances() if item.id not in known]
    assert machine.machine is not None
    assert machine.machine.bob_lock == 0
    assert story.alice.do(CommandPay(MachineId(machine.id), Wei(80)))
    story.talk()
    # Bob cashes without Alice, who is gone; then both sign refunds and submit everything.
    story.world.network.leave(story.alice.peer)
    assert story.bob.do(CommandRemove(machine.id))
    story.talk()
    for _ in range(3):
        story.patience()
    story.learn()
    refund = story.mind.submit(MachineId(machine.id), 80, 0)
    assert refund is not None
    story.world.send(story.bob.key.address, refund)
    story.blocks()
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_a11_statement_in_a_machine_whose_removal_is_signed_does_not_count() -> None:
    story = Story("bob")
    machine = story.direct(story.alice)
    id = MachineId(machine.id)
    assert story.alice.do(CommandPay(id, Wei(10)))
    story.talk()
    assert story.bob.do(CommandPay(id, Wei(3)))
    story.talk()
    assert story.alice.do(CommandRemove(machine.id))
    # Bob does not answer the removal; he pays once more, to take the goods.
    story.world.network.held = []
    story.say(story.bob, story.alice, story.mind.statement(id, story.bob.key.address, 20))
    story.talk()
    assert story.received(story.alice, machine.id) == 3
    assert not story.alice.do(CommandPay(id, Wei(1)))
    story.end()


def test_a11_payer_hears_that_its_statement_did_not_count() -> None:
    story = Story()
    machine = story.direct(story.alice)
    assert story.alice.do(CommandRemove(machine.id))
    assert story.bob.do(CommandPay(MachineId(machine.id), Wei(20)))
    story.talk()
    assert [n for n in story.bob.notices if isinstance(n, PaymentRefused)] or any(
        isinstance(n, ProposalRefused) for n in story.alice.notices
    )
    story.patience()
    story.end()


def test_a12_nothing_of_a_later_step_is_signed_before_the_earlier_is_complete() -> None:
    story = Story("alice")
    left = story.channel(story.ingrid, story.alice)
    assert story.ingrid.witness is not None
    known = {instance.id for instance in story.alice.instances()}
    right = story.channel(story.bob, story.ingrid)
    leave_invitation_open(story.bob.node.books, right.id)  # He waits for the grant.
    assert story.users.machine(0, 0, 5, 900)
    bundled: list[bool] = []

    def lost(sender: bytes, receiver: bytes, message: object) -> bool:
        """With Alice's half comes the removal that would pay Ingrid at once; Bob's half is late."""
        mine = sender == story.alice.peer and isinstance(message, Propose)
        if mine and not bundled and message.adds is not None:
            bundled.append(True)
            state = message.state
            removal = State(
                state.channel,
                Version(state.version + 2),
                Wei(state.net + 100),
                tuple(nano for nano in state.nanos if nano.id != message.adds),
            )
            signature = story.mind.sign(story.alice.key.address, removal)
            story.say(
                story.alice, story.ingrid, Propose(removal, signature, 2, removes=message.adds)
            )
        return sender == story.bob.peer and isinstance(message, Propose)

    story.talk(lost)
    story.world.step_time()
    story.talk(lost)
    assert bundled
    story.patience(lost)
    fresh = [item for item in story.alice.instances() if item.id not in known]
    signed = [s for key, s in story.ingrid.witness.sent_states.items() if key[0] == left.id]
    assert all(item.id not in {n.id for n in state.nanos} for item in fresh for state in signed)
    assert not [n for n in story.bob.notices if isinstance(n, VirtualReady)][1:]
    story.end()


def test_a12_crooked_statement_of_an_unready_machine_is_refused() -> None:
    story = Story("alice")
    known = {instance.id for instance in story.alice.instances()}
    assert story.users.machine(0, 0, 5, 900)
    story.talk(to(story.alice))
    fresh = [item for item in story.bob.instances() if item.id not in known]
    for item in fresh:
        key = story.alice.key.address
        pay = story.mind.statement(MachineId(item.id), key, 9)
        story.say(story.alice, story.bob, pay, via=story.ingrid)
        story.talk()
        assert story.received(story.bob, item.id) == 0
    story.end()


def test_a12_single_payment_through_a_hub_with_real_nodes() -> None:
    story = Story()
    assert story.users.price(0)
    payer, hub, payee = story.bob, story.ingrid, story.alice
    known = {instance.id for instance in payee.instances()}
    signed = _signings(payer, hub, payee)
    assert story.users.machine(2, 0, 5, 900)  # one way, over the hub
    story.talk()
    story.blocks(1)
    (machine,) = [item for item in payee.instances() if item.id not in known]
    assert payer.do(CommandPay(MachineId(machine.id), Wei(80)))
    story.talk()
    assert story.received(payee, machine.id) == 80
    assert payer.do(CommandRemove(machine.id))
    story.talk()

    # Each step by all who sign it before the next; the hub signs two states at a time.
    assert [(name, kinds) for name, kinds, _ in signed[:3]] == [
        ("alice", ["State"]),
        ("bob", ["State"]),
        ("ingrid", ["State", "State"]),
    ]
    assert sorted((name, kinds) for name, kinds, _ in signed[3:5]) == [
        ("alice", ["Ready"]),
        ("bob", ["Ready"]),
    ]
    assert [(name, kinds) for name, kinds, _ in signed[5:6]] == [("bob", ["Statement"])]
    assert sorted((name, kinds) for name, kinds, _ in signed[6:8]) == [
        ("alice", ["State"]),
        ("bob", ["State"]),
    ]
    assert [(name, kinds) for name, kinds, _ in signed[8:]] == [("ingrid", ["State", "State"])]
    lists = [machine.id in ids for name, kinds, ids in signed if kinds[0] == "State"]
    assert lists == [True] * 3 + [False] * 3
    story.end()
    assert story.gain(payee) == 80 - 1  # of before: the machine that the story begins with
    assert story.gain(hub) >= 0


def _signings(*actors: Actor) -> list[tuple[str, list[str], set[bytes]]]:
    """From now on: who signs what, and which instances are listed there."""
    signed: list[tuple[str, list[str], set[bytes]]] = []
    for actor in actors:

        def sign(wish: Sign, actor: Actor = actor) -> tuple[Signature, ...] | None:
            messages = [item.message for item in wish.items]
            states = [message for message in messages if isinstance(message, State)]
            ids = {nano.id for state in states for nano in state.nanos}
            signed.append((actor.name, [type(message).__name__ for message in messages], ids))
            return Actor.sign(actor, wish)

        actor.sign = sign  # type: ignore[method-assign]
    return signed


def test_a12_inviter_cannot_bind_the_other_end_by_a_half_that_it_never_signed() -> None:
    story = Story("bob")
    assert story.users.price(0)
    left = story.channel(story.ingrid, story.alice)
    replays: list[RequestInstance] = []

    def lost(sender: bytes, _: bytes, message: object) -> bool:
        """Bob's request goes out with halves of Alice's channel that fit him better."""
        mine = sender == story.bob.peer and isinstance(message, RequestInstance)
        if not mine or message.other_half is None or replays:
            return False
        half = message.other_half
        richer = replace(half.state, net=Wei(half.state.net + 500))
        without = replace(half.state, nanos=half.state.nanos[:-1])
        later = replace(half.state, version=Version(half.state.version + 2))
        key = story.bob.key.address
        forged = [replace(half, state=state) for state in (richer, without, later)]
        forged += [replace(half, signature=story.mind.sign(key, half.state))]
        for other in forged:
            replays.append(replace(message, other_half=other, own_half=None))
        for replay in replays:
            story.say(story.bob, story.ingrid, replay)
        return True

    assert story.users.machine(2, 0, 5, 900)
    before = story.ingrid.node.books.channels[left.id]
    story.talk(lost)
    assert len(replays) == 4
    assert story.ingrid.node.books.channels[left.id] == before
    # What Alice did sign resolves by itself: her channel is free for others.
    for _ in range(3):
        story.patience(of(story.bob))
    view = story.channel(story.alice, story.ingrid)
    assert not view.proposals
    assert story.alice.do(CommandTransfer(view.id, Wei(7)))
    story.talk(of(story.bob))
    assert not story.channel(story.alice, story.ingrid).proposals
    story.end()
