"""A game in turns by the second and by the version: what is signed, when, and by whom it goes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.game_view import GameView, Ply
from perun.core.inputs import Received
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.state import InstanceView, Role
from perun.encoding.messages import Play, Played
from perun.errors import BadSignature
from perun.testing.parties import Party
from perun.types import GameRecord, Seconds, Signature, UnixTime, Version, Wei

from .conftest import Pair
from .crafted import at
from .ends import only, seen
from .test_games import agreed, begin, game_of, move, placed, say, terms_of


def row(party: Party, view: GameView, on: GameRecord | None = None) -> InstanceView:
    return replace(seen(party), game=view, head=on)


@pytest.mark.parametrize(
    ("shift", "proposes"), [(70, Role.BOB), (-60, Role.ALICE), (0, Role.ALICE)]
)
def test_who_is_paid_proposes_the_removal(pair: Pair, shift: int, proposes: Role) -> None:
    """In a channel of two one is enough, and two would cross."""
    begin(pair)
    for role, party in zip(Role, (pair.alice, pair.bob), strict=True):
        over = row(party, GameView(agreed=placed(4, 0, shift), signed=4))
        assert TURN_GAME.acts(at(party), over) is (role is proposes)


def test_version_is_chosen_above_all_that_we_have_signed(pair: Pair) -> None:
    """A move of ours was crossed by a position that stands: its version is used up."""
    begin(pair)
    for signed, chosen in ((4, 6), (6, 8)):
        draft = at(pair.alice)
        crossed = row(pair.alice, GameView(agreed=placed(5, 1), signed=signed, resigned=True))
        draft.put(crossed)
        TURN_GAME.acts(draft, crossed)
        game = draft.instance(crossed.id).game
        assert game is not None
        assert game.own is not None
        assert (game.own.version, game.signed) == (chosen, chosen)


def test_countersignature_of_somebody_else_lets_nothing_stand(pair: Pair) -> None:
    begin(pair)
    pair.world.network.lose(Played)
    move(pair.alice, 0)
    pair.world.settle()
    own = game_of(pair.alice).own
    assert own is not None
    answer = Played(only(pair.alice), own.version, Signature(b"\x01" * 65))
    with pytest.raises(BadSignature):
        pair.alice.do(Received(pair.bob.peer, answer))
    assert game_of(pair.alice).own == own


@pytest.mark.parametrize(
    ("after", "version", "signs"), [(0, 4, False), (1, 4, True), (1, 6, False), (1, 2, False)]
)
def test_move_on_chain_is_signed_for_what_is_recorded_once_nothing_newer_may_come(
    pair: Pair, after: int, version: int, signs: bool
) -> None:
    begin(pair)
    start = UnixTime(2_000_000_000)
    on = GameRecord(Version(4), 1, Wei(0), False, start, Seconds(0), Seconds(0))
    view = GameView(agreed=placed(4, 1), signed=4, choice=(Version(version), b"\x01"))
    draft = at(pair.alice, start + after)
    draft.put(row(pair.alice, view, on))
    TURN_GAME.prepare(draft, draft.instance(only(pair.alice)))
    game = draft.instance(only(pair.alice)).game
    assert game is not None
    assert (game.chain_move is not None) is signs


def test_nobody_moves_for_the_other_side(pair: Pair) -> None:
    """A move that the rules take, on a position where it is for Bob to move, signed by Alice."""
    begin(pair, setup=1)
    at_first = agreed(pair.bob)
    assert at_first.turn == 2
    rules = pair.bob.node.books.rules
    placed_by = rules.play(terms_of(pair.bob).rules_hash, at_first.position, 2, b"\0")
    say(pair, Ply(Version(2), placed_by.turn, Wei(0), placed_by.position, b"\0"))
    assert agreed(pair.bob) == at_first
    assert game_of(pair.bob).signed == 0


def test_one_position_at_a_time_is_at_the_signer(pair: Pair) -> None:
    begin(pair)
    view = GameView(agreed=placed(0, 1), held=placed(2, 2), signed=2)
    draft = at(pair.bob)
    draft.put(row(pair.bob, view))
    another = Play(only(pair.bob), 4, 2, Wei(0), b"board", b"\1", Signature(b"\x01" * 65))
    assert TURN_GAME.hear(draft, draft.instance(only(pair.bob)), another) is False
    assert draft.instance(only(pair.bob)).game == view
