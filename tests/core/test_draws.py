"""Draws that both agree on: an offer binds who makes it until the other side moves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import SubmitEvidence
from perun.core.faults import NotAllowedNow
from perun.core.game_view import Ply
from perun.core.inputs import CommandDispute, Received
from perun.core.nanocontracts import plays
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandDraw,
    CommandMove,
    CommandResign,
)
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.notices import DrawOffered
from perun.core.signing import digest
from perun.core.state import LegStatus
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.encoding.messages import Play, Played, Propose
from perun.encoding.turn_game import position_evidence
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.types import GameId, GameRecord, Position, Seconds, Signature, Version, Wei

from .conftest import Pair, Trio
from .ends import net, only, seen, shares, silence, status
from .test_games import (
    ALICE_WINS,
    agreed,
    begin,
    begin_over,
    game_of,
    move,
    no_faults,
    play,
    record,
    say,
    submitted,
    terms_of,
    wait,
)


def draw(party: Party) -> None:
    party.do(CommandDraw(only(party)))


def over(party: Party) -> bool:
    return status(party) is LegStatus.REMOVED


def signed_by_both(pair: Pair, ply: Ply) -> bytes:
    """As evidence, with signatures that their owners may never have shown anybody."""
    position = Position(
        GameId(only(pair.alice)), ply.version, ply.turn, ply.shift, keccak(ply.position)
    )
    what = digest(DEPLOYMENT, position)
    keys = (pair.alice.key, pair.bob.key)
    return position_evidence(terms_of(pair.alice), position, *(sign(what, key) for key in keys))


def submit(world: World, party: Party, evidence: bytes) -> None:
    what = SubmitEvidence(TURN_GAME.app(DEPLOYMENT), only(party), evidence)
    world.ledger.call(what, party.account.address)


def offered(pair: Pair) -> Ply:
    """After Alice's first move she offers a draw, and Bob has it."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    draw(pair.alice)
    pair.world.settle()
    own = game_of(pair.alice).own
    assert own is not None
    return own


# -------------------------------------------------------------------------------- when all is well


def test_draw_that_is_taken_ends_the_game_at_once_with_nothing_for_either(pair: Pair) -> None:
    offered(pair)
    assert pair.bob.told(DrawOffered) == [DrawOffered(only(pair.bob))]
    assert not over(pair.alice)
    draw(pair.bob)
    pair.world.settle()
    assert (over(pair.alice), over(pair.bob)) == (True, True)
    assert (net(pair.alice, pair.channel), submitted(pair.world)) == (0, 0)
    no_faults(pair.alice, pair.bob)


def test_draw_over_a_hub_costs_the_hub_nothing(trio: Trio) -> None:
    begin_over(trio)
    play(trio.world, trio.alice, trio.bob, (0, 3))
    draw(trio.bob)
    trio.world.settle()
    draw(trio.alice)
    trio.world.settle()
    assert (over(trio.alice), over(trio.bob)) == (True, True)
    assert (net(trio.ingrid, trio.left), net(trio.ingrid, trio.right)) == (0, 0)
    assert submitted(trio.world) == 0
    no_faults(trio.alice, trio.bob, trio.ingrid)


def test_draw_wished_for_in_the_own_turn_is_offered_by_the_next_move(pair: Pair) -> None:
    begin(pair)
    draw(pair.alice)
    pair.world.settle()
    assert (game_of(pair.alice).signed, pair.bob.told(DrawOffered)) == (0, [])
    play(pair.world, pair.alice, pair.bob, (0,))
    assert pair.bob.told(DrawOffered)
    draw(pair.bob)
    pair.world.settle()
    assert over(pair.alice)


def test_game_goes_on_after_an_offer_that_nobody_took(pair: Pair) -> None:
    begin(pair)
    for index, cell in enumerate(ALICE_WINS):
        move((pair.alice, pair.bob)[index % 2], cell)
        pair.world.settle()
        if index < len(ALICE_WINS) - 1:
            draw((pair.alice, pair.bob)[index % 2])
            pair.world.settle()
    assert net(pair.alice, pair.channel) == -60
    assert len(pair.alice.told(DrawOffered)) == len(pair.bob.told(DrawOffered)) == 2
    no_faults(pair.alice, pair.bob)


def test_wish_lapses_with_the_other_sides_move(pair: Pair) -> None:
    offered(pair)
    play(pair.world, pair.bob, pair.alice, (3, 1))
    assert not game_of(pair.alice).draws
    assert plays.standing(game_of(pair.bob)) is None
    assert len(pair.bob.told(DrawOffered)) == 1


@pytest.mark.parametrize("kind", [Play, Played, Propose])
def test_offer_and_word_that_were_lost_are_said_again(pair: Pair, kind: type) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    for party in (pair.alice, pair.bob):
        pair.world.network.lose(kind)
        draw(party)
        pair.world.settle()
        pair.world.network.rule = None
        party.restart()
        for _ in range(2):
            pair.world.advance()
            pair.world.settle()
    assert (over(pair.alice), over(pair.bob)) == (True, True)
    no_faults(pair.alice, pair.bob)


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_offer_crosses_a_move_and_the_move_counts(pair: Pair, first: str) -> None:
    """The offer lapses with the move, whichever was posted first; nobody waits for ever."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    wishes = {
        "alice": (pair.alice, CommandDraw(only(pair.alice))),
        "bob": (pair.bob, CommandMove(only(pair.bob), bytes([3]))),
    }
    for who in sorted(wishes, key=lambda name: name != first):
        party, wish = wishes[who]
        party.node.post([wish])
    pair.world.settle()
    assert agreed(pair.alice) == agreed(pair.bob)
    assert agreed(pair.alice).position == bytes([0, 1, 0, 8])
    play(pair.world, pair.alice, pair.bob, ALICE_WINS[2:])
    assert net(pair.alice, pair.channel) == -60
    no_faults(pair.alice, pair.bob)


def test_offer_crosses_a_resignation_and_that_counts(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    pair.bob.node.post([CommandResign(only(pair.bob))])
    pair.alice.node.post([CommandDraw(only(pair.alice))])
    pair.world.settle()
    assert (net(pair.alice, pair.channel), over(pair.bob)) == (-60, True)
    no_faults(pair.alice, pair.bob)


def test_offer_from_a_slow_signer_is_asked_for_again_after_a_start(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    pair.alice.signer.slow = []
    draw(pair.alice)
    pair.world.settle()
    assert not pair.bob.told(DrawOffered)
    pair.alice.signer.slow = None
    pair.alice.restart()
    for _ in range(2):
        pair.world.advance()
        pair.world.settle()
    assert pair.bob.told(DrawOffered)
    draw(pair.bob)
    pair.world.settle()
    assert over(pair.alice)


# ------------------------------------------------------------------------------- what is not taken


def test_draw_has_its_time(pair: Pair) -> None:
    pair.world.network.lose(Play)
    begin(pair)
    with pytest.raises(NotAllowedNow, match="has not begun"):
        draw(pair.alice)
    pair.world.network.rule = None
    pair.world.advance()
    pair.world.settle()
    draw(pair.alice)
    with pytest.raises(NotAllowedNow, match="you have offered one"):
        draw(pair.alice)
    pair.bob.do(CommandResign(only(pair.bob)))
    with pytest.raises(NotAllowedNow, match="given it up"):
        draw(pair.bob)


def test_game_on_chain_is_not_drawn_by_word(pair: Pair) -> None:
    offered(pair)
    silence(pair.world)
    pair.alice.do(CommandClock(only(pair.alice)))
    wait(pair.world, 24)
    for party in (pair.alice, pair.bob):
        with pytest.raises(NotAllowedNow, match="it is on chain"):
            draw(party)


def test_offer_is_no_longer_taken_once_we_have_moved(pair: Pair) -> None:
    """Our word then is an offer of our own; else both could stand."""
    offered(pair)
    pair.world.network.lose(Play)
    move(pair.bob, 3)
    draw(pair.bob)
    game = game_of(pair.bob)
    assert (game.held, game.draws) == (None, True)
    # Nor while the move that we have chosen cannot be signed yet.
    assert plays.standing(replace(game, own=None)) is None
    pair.world.network.rule = None
    for _ in range(2):
        pair.world.advance()
        pair.world.settle()
    assert agreed(pair.alice).position == bytes([0, 1, 0, 8])
    assert pair.alice.told(DrawOffered)


def test_draw_that_a_slow_signer_is_asked_for_counts_as_signed(pair: Pair) -> None:
    ply = offered(pair)
    pair.bob.signer.slow = []
    draw(pair.bob)
    pair.world.settle()
    assert (game_of(pair.bob).signed, agreed(pair.bob).version) == (ply.version, 2)
    pair.bob.signer.slow = None
    pair.bob.restart()
    for _ in range(2):
        pair.world.advance()
        pair.world.settle()
    assert (over(pair.alice), over(pair.bob)) == (True, True)


# --------------------------------------------------------------------------------- who cheats by it


@pytest.mark.parametrize(
    "changes",
    [
        {"shift": Wei(-1)},
        {"position": bytes(4)},
        {"turn": 1},
        {"version": Version(1)},
        {"version": Version(5)},
        {"version": Version(20)},
        {"move": b"\x01"},
    ],
)
def test_draw_of_another_position_or_for_something_is_not_offered(
    pair: Pair, changes: dict[str, object]
) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    right = Ply(Version(4), 0, Wei(0), agreed(pair.bob).position, b"")
    say(pair, replace(right, **changes))  # type: ignore[arg-type]
    assert (game_of(pair.bob).offered, game_of(pair.bob).signed) == (None, 2)
    assert not pair.bob.told(DrawOffered)


def test_draw_is_not_offered_in_the_own_turn(pair: Pair) -> None:
    """What a player offers there could be taken after its move is seen."""
    begin(pair)
    say(pair, Ply(Version(2), 0, Wei(0), agreed(pair.bob).position, b""))
    assert (game_of(pair.bob).offered, game_of(pair.bob).signed) == (None, 0)


def test_offer_that_nobody_signed_is_none(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    id, position = only(pair.bob), agreed(pair.bob).position
    forged = Play(id, 4, 0, Wei(0), position, b"", Signature(b"\x01" * 65))
    pair.bob.node.post([Received(pair.alice.peer, forged)])
    pair.bob.node.turn()
    assert game_of(pair.bob).offered is None


def test_many_offers_use_no_versions_up_and_wake_the_user_once(pair: Pair) -> None:
    """Mallory offers for ever, each time a little higher."""
    ply = offered(pair)
    for version in range(ply.version + 2, 200, 2):
        say(pair, replace(ply, version=Version(version)))
    assert game_of(pair.bob).offered == replace(ply, bob=Signature(b""))
    assert len(pair.bob.told(DrawOffered)) == 1
    play(pair.world, pair.bob, pair.alice, (3,))
    assert agreed(pair.alice).version == ply.version + 1


def test_draw_kept_in_secret_is_answered_by_what_was_played_since(pair: Pair) -> None:
    """Bob signs the draw, shows nobody, plays on, loses, and brings the draw: a free look."""
    ply = offered(pair)
    secret = signed_by_both(pair, ply)
    play(pair.world, pair.bob, pair.alice, (3, 1, 4))
    pair.world.network.lose(Played)
    move(pair.alice, 2)
    pair.world.settle()
    silence(pair.world)
    submit(pair.world, pair.bob, secret)
    wait(pair.world, 48)
    assert record(pair.world, pair.alice).version == agreed(pair.alice).version > ply.version
    wait(pair.world, 700)
    on = record(pair.world, pair.alice)
    assert (on.turn, on.shift) == (0, -60), "and her winning move is made on chain"
    no_faults(pair.alice, pair.bob)


def test_draw_taken_in_secret_and_brought_costs_nothing(pair: Pair) -> None:
    """Bob takes it on chain only: that is what Alice has offered."""
    secret = signed_by_both(pair, offered(pair))
    silence(pair.world)
    submit(pair.world, pair.bob, secret)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_draw_is_enforced_against_who_would_rather_play_on(pair: Pair, who: str) -> None:
    """Both have signed it; one brings what stood before it, and hopes for the clock."""
    offered(pair)
    before = signed_by_both(pair, agreed(pair.alice))
    pair.world.network.lose(Propose)
    draw(pair.bob)
    pair.world.settle()
    assert agreed(pair.alice) == agreed(pair.bob)
    silence(pair.world)
    submit(pair.world, pair.alice, before)
    # Whoever cheats keeps its node from answering.
    cheat, honest = (pair.alice, pair.bob) if who == "alice" else (pair.bob, pair.alice)
    cheat.node.books.instances.pop(only(cheat))
    honest.do(CommandDispute(pair.channel))
    wait(pair.world)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


def test_move_signed_twice_is_known_under_either_version(pair: Pair) -> None:
    """Mallory's offer crosses a move; she signs the one that is below it, and brings that."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    pair.world.network.lose(Play)
    move(pair.bob, 3)
    pair.world.settle()
    first = game_of(pair.bob).own
    assert first is not None
    say(pair, Ply(Version(first.version + 1), 0, Wei(0), agreed(pair.bob).position, b""))
    again = game_of(pair.bob).own
    assert again is not None
    assert (again.version, again.position) == (first.version + 2, first.position)
    for version in (first.version, again.version):
        on = GameRecord(version, 1, Wei(0), False, pair.bob.node.books.chain.head_time,
                        Seconds(0), Seconds(0))  # fmt: skip
        at = plays.base(replace(seen(pair.bob), head=on))
        assert at is not None
        assert (at.version, at.position) == (version, first.position)


def test_tower_is_given_no_offer(pair: Pair) -> None:
    offered(pair)
    kept = TURN_GAME.defending(seen(pair.bob)).game
    assert kept is not None
    assert (kept.offered, kept.agreed) == (None, agreed(pair.bob))
