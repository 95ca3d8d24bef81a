"""Mallory flips coins: he wants to know before he is bound, to bind others by what he knows, or to
be believed when nobody looks at the chain. Told on the model of the contracts."""

from __future__ import annotations

from dataclasses import dataclass

from perun.core.inputs import CommandDispute, Received
from perun.core.nanocontracts.coin_flip import flip_shift
from perun.core.state import InstanceView, LegStatus, Role
from perun.encoding.coin_flip import (
    flip_commit,
)
from perun.encoding.messages import (
    AnswerState,
    Invite,
    ReadySigned,
    RevealSecret,
    ShowState,
)
from perun.testing.network import Letter, meant
from perun.testing.parties import Party, World
from perun.testing.stories import GAMBLER, flip_coin, hub_policy, open_channel
from perun.types import ETH, ChannelId, Flip, Seconds, UnixTime, Wei


@dataclass
class Stage:
    """Mallory and honest Bob, each with a channel of 1,000 each to Ingrid; and one between them."""

    world: World
    mallory: Party
    bob: Party
    ingrid: Party
    own: ChannelId
    left: ChannelId
    right: ChannelId


def new_stage() -> Stage:
    world = World()
    mallory, bob = world.party("mallory", GAMBLER), world.party("bob", GAMBLER)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    own = open_channel(world, mallory, bob, 1_000, 1_000)
    left = open_channel(world, mallory, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    return Stage(world, mallory, bob, ingrid, own, left, right)


def only(party: Party) -> InstanceView:
    (instance,) = party.node.books.instances.values()
    return instance


def result(stage: Stage) -> int:
    """What the secrets of both ends decide."""
    flip = only(stage.bob).terms
    assert isinstance(flip, Flip)
    alice, bob = (only(party).secrets[role] for party, role in _sides(stage))
    return flip_shift(flip, alice, bob)


def _sides(stage: Stage) -> tuple[tuple[Party, Role], tuple[Party, Role]]:
    return (stage.mallory, Role.ALICE), (stage.bob, Role.BOB)


def quiet(stage: Stage, party: Party) -> None:
    """From now on nobody hears anything, and `party` does not even look."""
    stage.world.network.rule = lambda _letter: ()
    stage.world.network.leave(party.peer)


def wait(stage: Stage, *parties: Party, seconds: int = 13_000) -> None:
    """Blocks, at which only these look."""
    for _ in range(seconds // 24):
        stage.world.ledger.advance(24)
        for party in parties:
            party.node.turn()


def test_nobody_hears_a_secret_before_both_are_bound() -> None:
    """Mallory keeps his signature back, and asks for the secret by saying his own."""
    stage = new_stage()
    stage.world.network.lose(AnswerState, ShowState)
    flip_coin(stage.world, stage.bob, stage.own, 70, 60)
    stage.world.settle()
    mine = only(stage.mallory)
    said = RevealSecret(mine.id, mine.secrets[Role.BOB])
    stage.bob.node.post([Received(stage.mallory.peer, said)])
    stage.bob.node.turn()
    for _ in range(3):
        stage.world.advance()
    assert only(stage.bob).legs[0].status is LegStatus.ADDING
    assert [letter for letter in _telling(stage) if letter[0] == stage.bob.peer] == []


def test_nobody_hears_a_secret_over_a_hub_before_both_are_ready() -> None:
    """Mallory's channel lists the flip; whether Bob's does, he cannot know."""
    stage = new_stage()
    stage.world.network.lose(ReadySigned)
    flip_coin(stage.world, stage.mallory, stage.left, 70, 60, end=stage.bob)
    stage.world.settle()
    for _ in range(3):
        stage.world.advance()
    assert _telling(stage) == []


def _telling(stage: Stage) -> list[Letter]:
    """Every letter so far that has a secret in it, said directly or over a hub."""
    seen = stage.world.network.seen
    return [letter for letter in seen if isinstance(meant(letter[2]), RevealSecret)]


def test_second_invitation_under_one_salt_is_not_answered_with_the_same_secret() -> None:
    """Else Mallory would see the secret in the first flip and choose his commitment in the second
    by it."""
    stage = new_stage()
    salt, until = stage.mallory.random(), UnixTime(stage.world.ledger.time + 10_000)
    for seed in (b"\x01" * 32, b"\x02" * 32):
        terms = Flip(
            Wei(5), Wei(5), flip_commit(False, seed), bytes(32), 2**15, until, Seconds(600), salt
        )
        invite = Invite(terms, stage.own, ETH)
        stage.bob.node.post([Received(stage.mallory.peer, invite)])
        stage.bob.node.turn()
    flips = stage.bob.node.books.instances.values()
    assert len({flip.secrets[Role.BOB] for flip in flips}) == 2


def test_secret_that_comes_out_on_chain_is_answered_there() -> None:
    """Mallory says nothing off chain, goes to the chain, and hopes that Bob sleeps."""
    stage = new_stage()
    stage.world.network.lose(RevealSecret)
    flip_coin(stage.world, stage.mallory, stage.own, 70, 60)
    stage.world.settle()
    shift = result(stage)
    stage.world.network.rule = lambda _letter: ()
    stage.mallory.do(CommandDispute(stage.own))
    wait(stage, stage.mallory, stage.bob)
    assert stage.world.ledger.paid[stage.bob.account.address] == 1_000 + shift


def test_silence_costs_the_whole_lock() -> None:
    """Mallory hears Bob's secret, sees that he loses, and is never seen again."""
    stage = new_stage()
    stage.world.network.lose(RevealSecret, by=stage.mallory.peer)
    flip_coin(stage.world, stage.mallory, stage.own, 70, 60, odds=2**16 - 1)
    stage.world.settle()
    quiet(stage, stage.mallory)
    stage.bob.do(CommandDispute(stage.own))
    wait(stage, stage.bob)
    assert stage.world.ledger.paid[stage.bob.account.address] == 1_070


def test_hub_pays_no_result_that_only_one_end_names() -> None:
    """Mallory's half names his win, Bob hears nothing: the hub waits, and the chain decides."""
    stage = new_stage()
    stage.world.network.lose(RevealSecret, by=stage.mallory.peer)
    flip_coin(stage.world, stage.mallory, stage.left, 70, 60, end=stage.bob)
    stage.world.settle()
    shift = result(stage)
    quiet(stage, stage.ingrid)
    stage.world.network.rule = lambda _letter: ()
    stage.bob.do(CommandDispute(stage.right))
    stage.mallory.do(CommandDispute(stage.left))
    wait(stage, stage.bob, stage.mallory, stage.ingrid)
    paid = stage.world.ledger.paid
    assert paid[stage.bob.account.address] == 1_000 + shift
    assert paid[stage.ingrid.account.address] == 2_000
