"""A game whose other end cheats or has gone: a tower without a key, and an exit, answer in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from perun.bindings import turn_game
from perun.bindings.turn_game import StoredGame
from perun.core.game_view import GameView
from perun.core.inputs import (
    CommandConsent,
)
from perun.core.nanocontracts.plays import (
    CommandMove,
    signed_position,
)
from perun.core.nanocontracts.turn_game import (
    TURN_GAME,
    CommandGame,
)
from perun.core.state import InstanceView
from perun.demo.character import Character
from perun.encoding.messages import Play, Propose
from perun.node.export import BadExport, Export, rows_for_tower, write_export
from perun.node.newer import heights
from perun.testing.network import ScriptedNetwork
from perun.tower.admission import Admission, NotWatched
from perun.types import Game, Salt, Seconds, Version, Wei
from tests.node.runtime.test_exit import gained, store_of
from tests.node.runtime.test_watchtower import acts_at, rows, tower
from tests.support.scene import ETHER, KEYS, Scene

BANK = Seconds(600)


@pytest.fixture
def playing(scene: Scene) -> tuple[Scene, Character, Character]:
    """Alice and Bob play for 0.2 and 0.1; she has moved twice, he once."""
    scene.network = ScriptedNetwork()
    alice, bob = scene.enter("alice"), scene.enter("bob")
    channel = scene.open(alice, bob)
    alice.do(
        CommandGame(
            *(channel, scene.tic_tac_toe, bytes(32), Wei(ETHER // 5), Wei(ETHER // 10)),
            *(scene.later(3_600), Seconds(600), BANK, BANK, Salt(b"\x05" * 32)),
        )
    )
    scene.until(lambda: bool(bob.books.invitations))
    bob.do(CommandConsent(*bob.books.invitations, True))
    scene.until(lambda: bool(bob.books.instances and game_of(alice).agreed))
    for mover, cell in ((alice, 0), (bob, 3), (alice, 1)):
        move(scene, mover, cell)
    return scene, alice, bob


def instance_of(party: Character) -> InstanceView:
    (instance,) = party.books.instances.values()
    return instance


def game_of(party: Character) -> GameView:
    return instance_of(party).game or GameView()


def terms_of(party: Character) -> Game:
    terms = instance_of(party).terms
    assert isinstance(terms, Game)
    return terms


def move(scene: Scene, party: Character, cell: int) -> None:
    before = game_of(party).agreed
    party.do(CommandMove(instance_of(party).id, bytes([cell])))
    scene.until(lambda: game_of(party).agreed != before)
    scene.settle()


def stored(scene: Scene, party: Character) -> StoredGame:
    query = turn_game.record(TURN_GAME.app(scene.deployment), instance_of(party).id)
    return scene.endpoint().ask(query, scene.chain.head.number)


def test_tower_answers_an_old_position(
    playing: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = playing
    id, old, terms = instance_of(alice).id, game_of(alice).agreed, terms_of(bob)
    assert old is not None
    move(scene, bob, 4)
    newest = game_of(bob).agreed
    assert newest is not None
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    app = TURN_GAME.app(scene.deployment)
    said = signed_position(id, old)
    call = turn_game.submit_position(app, terms, said, old.alice, old.bob)
    scene.by_hand(KEYS["alice"], call)
    scene.chain.mine()
    assert stored(scene, bob).version == old.version
    watching.round()
    scene.chain.mine()
    assert stored(scene, bob).version == newest.version > old.version


def test_file_with_an_older_position_does_not_take_the_place_of_a_newer(
    playing: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    """A move changes no state: yesterday's file put back would have the tower lose the game."""
    scene, _, bob = playing
    path = tmp_path / "export"
    write_export(path, bob.profile, rows(bob))
    old = path.read_bytes()
    move(scene, bob, 4)
    newest = game_of(bob).agreed
    watching = tower(scene, bob, path)
    path.write_bytes(old)
    with pytest.raises(BadExport, match="older"):
        watching.round()
    (instance,) = watching._solitary.books.instances.values()
    assert instance.game is not None
    assert instance.game.agreed == newest


def test_tower_opens_a_margin_before_the_end_when_the_other_is_to_move(
    playing: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    """It is Bob's turn, and he has stopped: who watches for Alice takes it to the chain."""
    scene, alice, bob = playing
    terms = terms_of(alice)
    watching = tower(scene, alice, tmp_path / "export")
    bob.cut_power()
    acts_at(scene, watching, terms.validity - scene.limits.margin)
    assert (stored(scene, alice).turn, stored(scene, alice).live) == (2, False)


def test_tower_of_who_is_to_move_does_not_run_its_clock(
    playing: tuple[Scene, Character, Character], tmp_path: Path
) -> None:
    scene, alice, bob = playing
    terms = terms_of(bob)
    watching = tower(scene, bob, tmp_path / "export")
    alice.cut_power()
    scene.chain.mine(at=terms.validity)
    watching.round()
    assert not scene.chain.pool


@pytest.mark.parametrize("restored", [False, True])
def test_exit_takes_the_game_along_and_wins_by_the_clock(
    playing: tuple[Scene, Character, Character], tmp_path: Path, restored: bool
) -> None:
    scene, alice, bob = playing
    path = store_of(alice, tmp_path, restored)
    alice.cut_power()
    bob.cut_power()
    assert gained(scene, alice, path, 3) == ETHER + ETHER // 10


def test_finished_game_is_paid_by_the_chain_though_the_loser_signs_nothing(
    playing: tuple[Scene, Character, Character],
) -> None:
    scene, alice, bob = playing
    move(scene, bob, 4)
    scene.network.lose(Propose)  # type: ignore[attr-defined]
    move(scene, alice, 2)
    bob.cut_power()
    alice.cut_power()
    assert gained(scene, alice, alice.path, 3) == ETHER + ETHER // 10


def test_tower_takes_no_position_that_the_chain_would_refuse(
    playing: tuple[Scene, Character, Character],
) -> None:
    """Bringing it would cost the tower gas, as often as a client likes."""
    scene, _, bob = playing
    admission, client = Admission(scene.deployment), bob.peer
    rows = rows_for_tower([*bob.books.channels.values(), *bob.books.instances.values()])
    admitted = admission.admit(client, Export(bob.profile, rows))
    id, agreed = instance_of(bob).id, game_of(bob).agreed
    assert agreed is not None
    assert heights(admitted)[id] == agreed.version
    for forged in (replace(agreed, alice=agreed.bob), replace(agreed, version=Version(99))):
        game = replace(game_of(bob), agreed=forged)
        bad = [replace(row, game=game) if isinstance(row, InstanceView) else row for row in rows]
        with pytest.raises(NotWatched, match="not signed by both"):
            admission.admit(client, Export(bob.profile, tuple(bad)))


def test_tower_is_told_nothing_that_only_one_side_has_signed(
    playing: tuple[Scene, Character, Character],
) -> None:
    scene, _, bob = playing
    scene.network.lose(Play)  # type: ignore[attr-defined]
    bob.do(CommandMove(instance_of(bob).id, bytes([4])))
    scene.settle()
    assert game_of(bob).own is not None
    (row,) = [
        one
        for one in rows_for_tower([*bob.books.channels.values(), *bob.books.instances.values()])
        if isinstance(one, InstanceView)
    ]
    assert row.game is not None
    assert (row.game.own, row.game.held) == (None, None)
