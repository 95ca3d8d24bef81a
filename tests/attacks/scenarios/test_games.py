"""Mallory plays: he makes moves that the rules do not know, signs two positions under one number,
shows the chain an old one, or lets time pass. Told on the model of the contracts."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from perun.core.effects import SubmitEvidence
from perun.core.game_view import GameView, Ply
from perun.core.inputs import (
    CommandDispute,
    Received,
)
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandMove,
    signed_position,
)
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.signing import digest
from perun.core.state import InstanceView
from perun.crypto.signatures import sign
from perun.encoding.messages import Play, Propose
from perun.encoding.turn_game import (
    position_evidence,
)
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, consent, hub_policy, invite_to_game, open_channel
from perun.types import ChannelId, Game, GameRecord, Version, Wei

MALLORY_WINS = (0, 3, 1, 4, 2)


@dataclass
class Stage:
    """Mallory and honest Bob, each with a channel of 1,000 each to Ingrid, play for 70 and 60."""

    world: World
    mallory: Party
    bob: Party
    ingrid: Party
    left: ChannelId
    right: ChannelId


def new_stage() -> Stage:
    world = World()
    mallory, bob = world.party("mallory", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, mallory, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    invite_to_game(world, mallory, left, 70, 60, end=bob)
    world.settle()
    consent(bob)
    world.settle()
    return Stage(world, mallory, bob, ingrid, left, right)


def only(party: Party) -> InstanceView:
    (instance,) = party.node.books.instances.values()
    return instance


def game_of(party: Party) -> GameView:
    return only(party).game or GameView()


def terms_of(party: Party) -> Game:
    terms = only(party).terms
    assert isinstance(terms, Game)
    return terms


def play(stage: Stage, cells: tuple[int, ...]) -> None:
    for index, cell in enumerate(cells):
        mover = (stage.mallory, stage.bob)[index % 2]
        mover.do(CommandMove(only(mover).id, bytes([cell])))
        stage.world.settle()


def say(stage: Stage, ply: Ply) -> None:
    """Mallory signs whatever he likes, and shows it to Bob."""
    id = only(stage.bob).id
    signature = sign(digest(DEPLOYMENT, signed_position(id, ply)), stage.mallory.key)
    message = Play(id, ply.version, ply.turn, ply.shift, ply.position, ply.move, signature)
    received = Received(stage.mallory.peer, message, stage.ingrid.peer)
    stage.bob.node.post([received])
    stage.bob.node.turn()


def wait(stage: Stage, seconds: int) -> None:
    for _ in range(seconds // 24):
        stage.world.advance(24)


def shares(stage: Stage) -> list[int]:
    cast = (stage.mallory, stage.bob, stage.ingrid)
    return [stage.world.ledger.paid[party.account.address] for party in cast]


def test_win_that_the_rules_do_not_know_is_not_signed() -> None:
    stage = new_stage()
    won = Ply(Version(2), 0, Wei(-60), bytes([0, 7, 0, 0]), bytes([0]))
    say(stage, won)
    assert game_of(stage.bob).signed == 0


def test_only_one_position_is_signed_under_a_number() -> None:
    """Whoever has two of them shows the chain the one that suits him."""
    stage = new_stage()
    first = Ply(Version(2), 2, Wei(0), bytes([0, 1, 0, 0]), bytes([0]))
    say(stage, first)
    asked = stage.bob.signer.asked
    say(stage, replace(first, position=bytes([0, 2, 0, 0]), move=bytes([1])))
    agreed = game_of(stage.bob).agreed
    assert agreed is not None
    assert agreed.position == first.position
    assert stage.bob.signer.asked == asked


def test_old_position_on_chain_is_answered() -> None:
    stage = new_stage()
    play(stage, (0,))
    old = game_of(stage.mallory).agreed
    assert old is not None
    stage.bob.do(CommandMove(only(stage.bob).id, bytes([3])))
    stage.world.settle()
    stage.world.network.rule = lambda _letter: ()
    id = only(stage.bob).id
    evidence = position_evidence(terms_of(stage.bob), signed_position(id, old), old.alice, old.bob)
    submission = SubmitEvidence(TURN_GAME.app(DEPLOYMENT), id, evidence)
    stage.world.ledger.call(submission, stage.mallory.account.address)
    wait(stage, 48)
    on = stage.world.ledger.instances[id]
    assert isinstance(on, GameRecord)
    assert on.version > old.version


def test_loser_who_stops_is_paid_nothing_back() -> None:
    """Bob has lost and signs no removal; the hub pays both legs by the chain."""
    stage = new_stage()
    play(stage, MALLORY_WINS[:-1])
    stage.world.network.lose(Propose)
    stage.mallory.do(CommandMove(only(stage.mallory).id, bytes([2])))
    stage.world.settle()
    stage.world.network.rule = lambda _letter: ()
    stage.mallory.do(CommandDispute(stage.left))
    stage.bob.do(CommandDispute(stage.right))
    wait(stage, 14_000)
    assert shares(stage) == [1_060, 940, 2_000]


def test_who_lets_time_pass_on_chain_loses_all() -> None:
    """It is Mallory's turn; he would lose, and says nothing more."""
    stage = new_stage()
    play(stage, (0, 3))
    stage.world.network.rule = lambda _letter: ()
    stage.bob.do(CommandClock(only(stage.bob).id))
    stage.mallory.node.books.instances.clear()
    wait(stage, 1_400)
    on = stage.world.ledger.instances[only(stage.bob).id]
    assert TURN_GAME.outcome(terms_of(stage.bob), on, stage.world.ledger.time) == 70


def test_move_on_chain_waits_until_nothing_newer_can_come() -> None:
    """Else Mallory would see it, and choose between it and the newer position that he holds."""
    stage = new_stage()
    play(stage, (0,))
    stage.world.network.rule = lambda _letter: ()
    stage.mallory.do(CommandClock(only(stage.mallory).id))
    wait(stage, 48)
    stage.bob.do(CommandMove(only(stage.bob).id, bytes([3])))
    wait(stage, 240)
    assert game_of(stage.bob).chain_move is None
    wait(stage, 480)
    on = stage.world.ledger.instances[only(stage.bob).id]
    assert isinstance(on, GameRecord)
    assert on.live


def test_game_that_only_one_leg_has_locked_is_not_begun() -> None:
    """Mallory's hub has not signed Bob's half: what Bob signs now, no leg of his answers for."""
    world = World()
    mallory, bob = world.party("mallory", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, mallory, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    stage = Stage(world, mallory, bob, ingrid, left, right)
    invite_to_game(world, mallory, left, 70, 60, end=bob)
    world.settle()
    world.network.rule = lambda letter: () if letter[0] == ingrid.peer else (letter,)
    consent(bob)
    world.settle()
    say(stage, Ply(Version(0), 1, Wei(0), bytes(4), b""))
    wait(stage, 24)
    assert game_of(bob).signed == -1
