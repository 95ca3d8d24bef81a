"""A store that was put back, and knows as an offer what its owner has joined and paid into since.

The chain shows the money. It is got out alone, whatever the peer says or does not say.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.chain_view import Dispute, OnChain
from perun.core.faults import NotAllowedNow
from perun.core.indexes import holds_ours
from perun.core.inputs import (
    ChainBlock,
    ChainChannel,
    CommandDispute,
    CommandJoin,
    CommandOffer,
    CommandPay,
    CommandRemove,
    Input,
    Tick,
)
from perun.core.notices import ChannelJoined
from perun.core.state import Role, Stage
from perun.encoding.messages import AcceptChannel, OfferChannel, RefuseChannel
from perun.node.owed import owed_by
from perun.store.memory import MemoryStore
from perun.testing.parties import LIMITS, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import ETH, Seconds, UnixTime, Version, Wei

ASKS = replace(OPEN_HANDED, join=False)


class Story:
    """A channel of 100 and 60 wei, offered when a copy was made of one store, and joined after."""

    def __init__(self, forgets: str, *, draw: bool = False) -> None:
        self.world = World()
        peer = hub_policy() if draw else ASKS
        self.alice, self.bob = (
            self.world.party("alice", OPEN_HANDED),
            self.world.party("bob", peer),
        )
        self.world.ledger.fund(self.bob.account.address, 1_000)
        self.world.advance()
        self.world.network.lose(AcceptChannel)
        terms = (self.bob.peer, self.bob.account.address, ETH, Seconds(600), self.alice.nonce())
        self.alice.do(CommandOffer(*terms, Wei(100), Wei(60), draw))
        self.world.settle()
        self.world.advance()
        (self.channel,) = self.alice.node.books.channels
        self.party = {"alice": self.alice, "bob": self.bob}[forgets]
        assert isinstance(self.party.store, MemoryStore)
        old = self.party.store.copy()
        if not draw:
            self.bob.do(CommandJoin(self.channel, True))
        self.world.network.lose()
        for _ in range(6):
            self.world.advance(LIMITS.patience + 1)
        assert self.alice.told(ChannelJoined)
        on = self.world.ledger.channels[self.channel]
        assert (on.alice, on.bob) == (100, 60)
        old.exit_only = True
        self.party.restart(old)
        self.world.network.rule = lambda _letter: ()
        self.world.settle()
        self.world.advance()
        stage = self.party.node.books.channels[self.channel].stage
        assert stage is (Stage.OFFERED if forgets == "alice" else Stage.INVITED)

    def leave(self) -> int:
        """What the chain has paid our side after a challenge."""
        before = self.world.ledger.paid[self.party.account.address]
        self.party.do(CommandDispute(self.channel))
        for _ in range(20):
            self.world.advance(60)
            self.world.settle()
        return self.world.ledger.paid[self.party.account.address] - before


@pytest.mark.parametrize(
    ("forgets", "draw", "own"), [("alice", False, 100), ("alice", True, 100), ("bob", False, 60)]
)
def test_money_of_a_forgotten_channel_is_named_and_got_out(
    forgets: str, draw: bool, own: int
) -> None:
    story = Story(forgets, draw=draw)
    (owed,) = owed_by(story.party.node.books)
    assert owed.amount == own
    assert story.leave() == own


@pytest.mark.parametrize("draw", [False, True])
def test_refusal_of_what_was_joined_makes_nobody_forget_it(draw: bool) -> None:
    story = Story("alice", draw=draw)
    refused = RefuseChannel(story.channel, "no")
    story.world.network.inject(story.bob.peer, story.alice.peer, refused)
    story.world.settle([story.alice])
    assert story.leave() == 100


def test_offer_that_is_said_again_makes_nobody_forget_what_was_joined() -> None:
    story = Story("bob")
    offer = story.world.network.said(OfferChannel)[0]
    story.bob.node.books.config = replace(
        story.bob.node.books.config, policy=hub_policy(paused=True)
    )
    story.world.network.inject(story.alice.peer, story.bob.peer, offer)
    story.world.settle([story.bob])
    assert story.leave() == 60


@pytest.mark.parametrize("forgets", ["alice", "bob"])
def test_channel_that_holds_nothing_of_ours_is_not_left(forgets: str) -> None:
    """Else a register of our own would cost gas for nothing."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", ASKS)
    world.advance()
    terms = (bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce())
    alice.do(CommandOffer(*terms, Wei(100), Wei(60)))
    world.settle()
    world.advance()
    party: Party = {"alice": alice, "bob": bob}[forgets]
    (view,) = party.node.books.channels.values()
    if view.role is Role.BOB:
        world.open_alone(view.channel, view.channel.alice, 5)
        world.advance()
    with pytest.raises(NotAllowedNow):
        party.do(CommandDispute(view.id))


@pytest.mark.parametrize("role", list(Role))
def test_money_that_any_block_shows_on_our_side_is_ours(role: Role) -> None:
    """In the newest, or in the newest final one: after a reorganisation only that may have it."""
    story = Story("alice")
    known = story.alice.node.books.channels[story.channel]
    none, ours = OnChain(), OnChain(*((Wei(5), Wei(0)) if role is Role.ALICE else (Wei(0), Wei(5))))
    theirs = OnChain(ours.bob, ours.alice)
    for head, final, holds in (
        *((none, none, False), (ours, none, True), (none, ours, True)),
        *((theirs, none, False), (none, theirs, False)),
    ):
        assert holds_ours(replace(known, role=role, head=head, final=final)) is holds


def test_instance_of_a_disputed_state_is_not_forgotten_before_the_dispute_is_over() -> None:
    """A state that lists what is long removed stands on the chain, and none of ours is newer: what
    it would pay is known by the row of that instance."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    machine = add_machine(world, alice, channel, 300, 0, life=2_000)
    alice.do(CommandPay(machine, Wei(200)))
    world.settle()
    old = bob.node.books.channels[channel].agreed
    assert old is not None
    alice.do(CommandRemove(machine))
    world.settle()
    view = bob.node.books.channels[channel]
    state = old.state
    deadline = UnixTime(world.ledger.time + 10**6)
    dispute = Dispute(Version(state.version + 10), state.net, state.nanos, deadline)
    shown = ChainChannel(channel, replace(view.head, dispute=dispute), view.final)

    def much_later(*told: Input) -> bool:
        now = UnixTime(world.ledger.time + 3_000)
        bob.clock.ahead = 3_000
        number = world.ledger.number + 1
        bob.node.post([Tick(now, now), *told, ChainBlock(number, now, number, now)])
        bob.node.turn()
        return machine in bob.node.books.instances

    assert much_later(shown)
    assert not much_later(ChainChannel(channel, view.head, view.final))
