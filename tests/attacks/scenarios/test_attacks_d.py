"""D3: a virtual channel is resized in both channels or in neither, whoever conspires."""

from __future__ import annotations

from collections.abc import Callable

from perun.core.inputs import CommandPay, CommandReplace
from perun.core.state import ChannelView
from perun.encoding.messages import AnswerState, Message, Propose, ShowState
from perun.types import InstanceId, MachineId, Nano, Seconds, State, UnixTime, Version, Wei
from tests.attacks.scenarios.story import Lost, Story, of
from tests.games.simulation.actor import Actor


def _resize(
    story: Story, lost: Lost | None = None, then: Callable[[], None] | None = None
) -> tuple[InstanceId, InstanceId]:
    """Alice has paid Bob 60 in a machine over the hub, and wants a greater one in its place."""
    old = story.virtual(story.alice).id
    assert story.alice.do(CommandPay(MachineId(old), Wei(60)))
    story.talk()
    command = CommandReplace(
        MachineId(old),
        Wei(850),
        Wei(700),
        UnixTime(story.world.chain.now + 1_400),
        Seconds(900),
        story.alice.random(),
    )
    assert story.alice.do(command)
    story.talk(lost)
    if then is not None:
        then()
    story.world.step_time()  # the hub looks whether anybody has submitted it
    story.talk(lost)
    (new,) = (item.id for item in story.alice.instances() if item.replaces == old)
    story.learn()
    return old, new


def _listed(story: Story, actor: Actor, end: Actor) -> set[InstanceId]:
    """What an actor's newest fully signed state with an end lists."""
    full = story.channel(actor, end).agreed
    assert full is not None
    return {nano.id for nano in full.state.nanos}


def test_d3_resizing_costs_no_transaction_and_serves_both() -> None:
    story = Story()
    before = len(story.world.chain.mined)
    _, new = _resize(story)
    for end in (story.alice, story.bob):
        assert _listed(story, story.ingrid, end) == _listed(story, end, story.ingrid) == {new}
    assert story.alice.do(CommandPay(MachineId(new), Wei(800)))
    story.talk()
    assert story.received(story.bob, new) == 800
    assert len(story.world.chain.mined) == before
    assert not story.world.chain.pool
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_d3_half_that_is_kept_back_takes_nothing_from_the_hub() -> None:
    story = Story("alice", "bob")
    old, _ = _resize(story, of(story.bob, Propose))
    for _ in range(3):
        story.patience(of(story.bob, Propose))
    assert _listed(story, story.ingrid, story.alice) == {old}
    # Alice's half is refused; in Bob's channel the hub still pays for the old one, and gets it.
    call = story.mind.submit(MachineId(old), 200, 0)
    assert call is not None
    story.world.send(story.bob.key.address, call)
    story.blocks()
    story.end()
    assert story.gain(story.ingrid) >= 0


def test_d3_halves_that_name_other_totals_are_refused() -> None:
    """Alice owes the hub 20 by hers, Bob is owed 60 by his; each is sound by itself."""
    _halves_refused((20, 20, 0), (-60, 0, 60))


def test_d3_net_that_does_not_follow_from_the_totals_is_refused() -> None:
    """Both name 60, and Alice moves 20: the rest is not the new machine's fee."""
    _halves_refused((20, 60, 0), (-60, 0, 60))


def _halves_refused(left: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    """Alice's half and Bob's: by how much net moves, what she, or he, says was paid, received."""
    story = Story("alice", "bob")

    def lie() -> None:
        """While the hub waits for their halves, and for its own view of the chain."""
        for actor, numbers in ((story.alice, left), (story.bob, right)):
            story.say(actor, story.ingrid, _half(story, actor, *numbers))

    lost: Lost = lambda by, _, what: isinstance(what, Propose) and by in story.mind.keys  # noqa: E731
    old, _ = _resize(story, lost, lie)
    story.talk(of(story.alice, Propose))
    for end in (story.alice, story.bob):
        assert _listed(story, story.ingrid, end) == {old}
    story.end()
    assert story.gain(story.ingrid) >= 0


def _half(story: Story, actor: Actor, moved: int, paid: int, received: int) -> Propose:
    """An end's own half, at another shift and with other totals; its fee is paid."""
    view = story.channel(actor, story.ingrid)
    (own,) = view.proposals
    full = view.agreed
    assert full is not None
    fee = own.intent.amount
    version = Version(own.state.version)
    net = Wei(full.state.net + moved + fee)
    state = State(view.id, version, net, own.state.nanos)
    return Propose(
        state,
        story.mind.sign(actor.key.address, state),
        3,
        own.intent.adds,
        own.intent.removes,
        paid=Wei(paid),
        received=Wei(received),
    )


def test_d3_old_states_and_all_statements_after_a_replacement_cost_the_hub_nothing() -> None:
    """The conspirators go back to the old machine in both channels, and submit all they can."""
    story = Story("alice", "bob")
    old, new = _resize(story)
    for end in (story.alice, story.bob):
        state = _newest_with(story, story.channel(end, story.ingrid), old)
        call = story.mind.register(state)
        assert call is not None
        story.world.send(end.key.address, call)
    for id, most in ((old, 200), (new, 850)):
        call = story.mind.submit(MachineId(id), most, 0)
        assert call is not None
        story.world.send(story.bob.key.address, call)
    story.blocks()
    story.end()
    assert story.gain(story.ingrid) >= 0


def _newest_with(story: Story, view: ChannelView, id: InstanceId) -> State:
    states = [
        state
        for state in story.mind.enforceable()
        if state.channel == view.id and any(_is(nano, id) for nano in state.nanos)
    ]
    return max(states, key=lambda state: state.version)


def _is(nano: Nano, id: InstanceId) -> bool:
    return nano.id == id


def test_d3_hub_that_signs_one_half_only_takes_nothing_from_the_ends() -> None:
    """Ingrid answers Alice, not Bob, and goes to the chain with what suits her in each channel."""
    story = Story("ingrid")

    def lost(by: bytes, whom: bytes, what: Message) -> bool:
        words = isinstance(what, AnswerState | ShowState)
        return by == story.ingrid.peer and whom == story.bob.peer and words

    old, new = _resize(story, lost)
    assert _listed(story, story.alice, story.ingrid) == {new}
    assert _listed(story, story.bob, story.ingrid) == {old}
    # Nothing says that Bob's channel lists the new one: Alice pays nothing into it.
    assert not story.alice.do(CommandPay(MachineId(new), Wei(5)))
    state = _newest_with(story, story.channel(story.bob, story.ingrid), old)
    call = story.mind.register(state)
    assert call is not None
    story.world.send(story.ingrid.key.address, call)
    story.blocks()
    story.end()
    assert story.gain(story.bob) >= 60
