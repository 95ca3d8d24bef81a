"""Quick form: hypothesis drives a few games; the deep one: `python -m tests.games.simulation`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from perun.core.inputs import CommandPay, CommandRemove
from perun.types import MachineId, Wei
from tests.games.simulation.deep import RARE, Tally, drawn, games, missed, never
from tests.games.simulation.game import WEIGHTS, Game, Play, play
from tests.games.simulation.postgres_disk import postgres_disks
from tests.support.postgres import Servers


@given(game=games(most=40))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_honest_parties_keep_their_money_whatever_happens(game: Game) -> None:
    play(game)


@pytest.fixture(scope="module")
def tally() -> Tally:
    """A few long games, the same every time: every cast twice."""
    tally = Tally()
    for seed in range(16):
        tally.add(play(drawn(seed, 110)))
    return tally


def test_games_are_rich(tally: Tally) -> None:
    """The deep run demands that everything happens; a short one all but the rarest."""
    assert len(missing := never(tally)) <= 20, missing
    assert tally.steps == 16 * 110


def test_what_is_demanded_grows_with_the_length_of_a_run() -> None:
    """Whatever the luck: a run of no length is red for what is rare, and none is green for ever."""
    nothing = Tally()
    assert missed(nothing) == []
    nothing.steps = 20_000
    some = missed(nothing)
    assert "settlements" in some
    assert not set(RARE) & set(some)
    nothing.steps = 20 * max(RARE.values())
    assert missed(nothing) == never(nothing)
    assert set(RARE) <= set(never(nothing))


def test_every_move_has_a_weight() -> None:
    assert Play(()).moves.names == set(WEIGHTS)


def test_same_game_is_the_same_twice() -> None:
    one, two = (play(drawn(3, 60)) for _ in range(2))
    assert one.world.chain.head.hash == two.world.chain.head.hash
    assert one.world.seen == two.world.seen


def test_game_is_replayed_from_its_file(tmp_path: Path) -> None:
    game = drawn(4, 30)
    game.write(tmp_path / "game.json")
    assert Game.read(tmp_path / "game.json") == game


def test_nothing_costs_a_transaction_when_all_are_honest() -> None:
    """P6: opening, using and closing a virtual channel, and every payment."""
    playing = Play(())
    world = playing.world
    alice, ingrid, bob = world.actors
    assert playing.users.machine(0, 0, 1, 1_000)
    world.talk()
    world.step_time()
    world.talk()
    before = len(world.chain.mined)
    machines = [instance.id for instance in alice.instances() if instance.via]
    assert len(machines) == 2
    for id in machines:
        for payer in (alice, bob):
            for _ in range(5):
                assert payer.do(CommandPay(MachineId(id), Wei(3)))
            world.talk()
        assert alice.do(CommandRemove(id))
        world.talk()
        world.step_time()
    assert all(not view.agreed.state.nanos for view in ingrid.channels() if view.agreed)
    assert len(world.chain.mined) == before
    assert not world.chain.pool
    playing.finish(polite=True)


def test_pair_complete_in_a_stale_view_is_signed_at_the_next_block() -> None:
    """Found by the deep run: nobody signed then, and the next tick refused what was complete."""
    moves = (
        ("machine", 6, 8, 2, 9),
        ("wait", 9, 10, 7, 7),
        ("talk", 10, 2, 5, 5),
        ("wait", 34_060, 17_832, 57_704, 47_062),
        ("reorganise", 6, 2, 2, 8),
    )
    play(Game((), moves))


def test_money_paid_into_what_an_old_copy_knows_as_an_offer_comes_out() -> None:
    """Found by the deep run: the copy would not leave a channel that it did not know as joined."""
    moves = (
        ("offer", 11, 8, 9, 2),
        ("back up", 2, 6, 7, 4),
        ("jump", 2, 5, 3, 0),
        ("put back", 5, 6, 0, 5),
    )
    play(Game(("alice",), moves, polite=False, whole=True))


@pytest.mark.parametrize("mark", [0, 1], ids=["its witness tells", "its witness went back too"])
def test_stores_on_postgres_lose_nothing_and_know_copies(postgres: Servers, mark: int) -> None:
    moves = (
        ("wish", 0, 2, 30, 0),
        ("talk", 0, 0, 0, 0),
        ("back up", 0, 0, 0, 0),
        ("power cut", 0, 1, 0, 0),
        ("wish", 0, 2, 40, 0),
        ("talk", 0, 0, 0, 0),
        ("power cut", 2, 2, 1, 0),
        ("wish", 2, 0, 20, 0),
        ("kill", 1, 0, 0, 0),
        ("put back", 0, mark, 0, 0),
        ("talk", 0, 0, 0, 0),
        ("block", 0, 0, 0, 0),
    )
    playing = play(Game((), moves, whole=True), postgres_disks(postgres))

    seen = playing.world.seen
    assert seen["power cuts"] >= 1
    assert seen["stale copies without" if mark else "stale copies with a mark"] == 1
