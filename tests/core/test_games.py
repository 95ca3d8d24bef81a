"""Games in turns between two and over a hub: whoever stops or cheats, nobody loses more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import SubmitEvidence
from perun.core.faults import InstanceRejected, NotAllowedNow, UnexpectedMessage
from perun.core.game_view import GameView, Ply
from perun.core.inputs import (
    CommandDispute,
    Received,
)
from perun.core.nanocontracts.plays import (
    CommandClock,
    CommandMove,
    CommandResign,
)
from perun.core.nanocontracts.turn_game import (
    TURN_GAME,
    CommandGame,
)
from perun.core.notices import GameBegan, GameMoved, InstanceRefused, InvitationHeld
from perun.core.signing import digest
from perun.core.state import LegStatus, Totals
from perun.core.states.valuation import balance
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.encoding.messages import Invite, Play, Played, Propose
from perun.encoding.turn_game import (
    move_evidence,
    position_evidence,
)
from perun.errors import BadSignature, Misuse
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.rules import TIC_TAC_TOE
from perun.testing.stories import consent, invite_to_game
from perun.types import (
    Address,
    Game,
    GameId,
    GameRecord,
    InstanceId,
    Move,
    Position,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair, Trio
from .crafted import at
from .ends import net, only, seen, shares, silence, status

ALICE_WINS = (0, 3, 1, 4, 2)
DRAWN = (0, 1, 2, 4, 3, 5, 7, 6, 8)


def game_of(party: Party) -> GameView:
    return seen(party).game or GameView()


def terms_of(party: Party) -> Game:
    terms = seen(party).terms
    assert isinstance(terms, Game)
    return terms


def agreed(party: Party) -> Ply:
    ply = game_of(party).agreed
    assert ply is not None
    return ply


def record(world: World, party: Party) -> GameRecord:
    on = world.ledger.instances[only(party)]
    assert isinstance(on, GameRecord)
    return on


def move(party: Party, cell: int) -> None:
    party.do(CommandMove(only(party), bytes([cell])))


def play(world: World, first: Party, second: Party, cells: tuple[int, ...]) -> None:
    for index, cell in enumerate(cells):
        move((first, second)[index % 2], cell)
        world.settle()


def begin(pair: Pair, own: int = 70, peer: int = 60, **more: int) -> None:
    invite_to_game(pair.world, pair.alice, pair.channel, own, peer, **more)
    pair.world.settle()
    consent(pair.bob)
    pair.world.settle()


def begin_over(trio: Trio) -> None:
    invite_to_game(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()
    consent(trio.bob)
    trio.world.settle()


def wait(world: World, seconds: int = 14_000) -> None:
    for _ in range(seconds // 24):
        world.advance(24)


def submitted(world: World) -> int:
    return sum(isinstance(done, SubmitEvidence) for done in world.ledger.log)


def no_faults(*parties: Party) -> None:
    assert [party.faults for party in parties] == [[] for _ in parties]


# -------------------------------------------------------------------------------- when all is well


def test_game_is_played_to_its_end_and_paid_at_once(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, ALICE_WINS)

    assert (net(pair.alice, pair.channel), net(pair.bob, pair.channel)) == (-60, -60)
    assert status(pair.bob) is LegStatus.REMOVED
    assert submitted(pair.world) == 0
    no_faults(pair.alice, pair.bob)


def test_who_is_invited_begins_if_the_setup_says_so_and_may_win(pair: Pair) -> None:
    begin(pair, setup=1)
    play(pair.world, pair.bob, pair.alice, ALICE_WINS)
    assert net(pair.alice, pair.channel) == 70


def test_draw_moves_nothing(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, DRAWN)
    assert net(pair.alice, pair.channel) == 0
    assert agreed(pair.alice).turn == 0
    assert status(pair.alice) is LegStatus.REMOVED


@pytest.mark.parametrize(("cells", "shift"), [(ALICE_WINS, -60), (DRAWN, 0)])
def test_game_over_a_hub_costs_the_hub_nothing(
    trio: Trio, cells: tuple[int, ...], shift: int
) -> None:
    begin_over(trio)
    play(trio.world, trio.alice, trio.bob, cells)
    # The hub is Bob of both channels, the instance's Bob is Alice of the other.
    assert (net(trio.ingrid, trio.left), net(trio.ingrid, trio.right)) == (shift, -shift)
    assert seen(trio.ingrid).game is None
    assert submitted(trio.world) == 0
    no_faults(trio.alice, trio.bob, trio.ingrid)


@pytest.mark.parametrize("gives_up", ["alice", "bob"])
def test_who_resigns_pays_its_whole_lock(pair: Pair, gives_up: str) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    loser: Party = getattr(pair, gives_up)
    loser.do(CommandResign(only(loser)))
    pair.world.settle()
    assert net(pair.alice, pair.channel) == (70 if gives_up == "alice" else -60)


def test_both_resign_at_once_and_one_of_them_has_lost(pair: Pair) -> None:
    begin(pair)
    for party in (pair.bob, pair.alice):
        party.node.post([CommandResign(only(party))])
    pair.world.settle()
    pair.world.advance()
    pair.world.settle()
    assert net(pair.alice, pair.channel) in (70, -60)
    assert net(pair.alice, pair.channel) == net(pair.bob, pair.channel)
    no_faults(pair.alice, pair.bob)


def test_move_crosses_a_resignation(pair: Pair) -> None:
    begin(pair)
    pair.bob.node.post([CommandResign(only(pair.bob))])
    pair.alice.node.post([CommandMove(only(pair.alice), bytes([0]))])
    pair.world.settle()
    pair.world.advance()
    pair.world.settle()
    assert net(pair.alice, pair.channel) == -60
    no_faults(pair.alice, pair.bob)


@pytest.mark.parametrize("kind", [Play, Played, Propose])
def test_what_was_lost_is_said_again(pair: Pair, kind: type) -> None:
    begin(pair)
    for index, cell in enumerate(ALICE_WINS):
        pair.world.network.lose(kind)
        move((pair.alice, pair.bob)[index % 2], cell)
        pair.world.settle()
        pair.world.network.rule = None
        pair.world.advance()
        pair.world.settle()
    for _ in range(3):
        pair.world.advance()
        pair.world.settle()
    assert net(pair.alice, pair.channel) == -60


@pytest.mark.parametrize("kind", [Play, Played])
def test_nodes_that_start_again_play_on(trio: Trio, kind: type) -> None:
    begin_over(trio)
    play(trio.world, trio.alice, trio.bob, (0,))
    trio.world.network.lose(kind)
    move(trio.bob, 3)
    trio.world.settle()
    trio.world.network.rule = None
    for party in (trio.alice, trio.bob, trio.ingrid):
        party.restart()
    trio.world.settle()
    trio.world.advance()
    trio.world.settle()
    play(trio.world, trio.alice, trio.bob, (1, 4, 2))
    assert net(trio.ingrid, trio.left) == -60


def test_slow_signer_is_waited_for_and_asked_again_after_a_start(pair: Pair) -> None:
    begin(pair)
    pair.bob.signer.slow = []
    play(pair.world, pair.alice, pair.bob, (0,))
    assert agreed(pair.alice).version == 0
    pair.bob.signer.slow = None
    pair.bob.restart()
    pair.world.settle()
    pair.world.advance()
    pair.world.settle()
    assert agreed(pair.alice).position == bytes([0, 1, 0, 0])


def test_what_is_signed_is_not_asked_for_again_after_a_start(pair: Pair) -> None:
    """A user whose signer is a device would have to press a button for what he has moved."""
    begin(pair)
    pair.world.network.lose(Played)
    move(pair.alice, 0)
    pair.world.settle()
    own = game_of(pair.alice).own
    assert own is not None
    assert (own.version, bool(own.alice), bool(own.bob)) == (agreed(pair.bob).version, True, False)
    asked = pair.alice.signer.asked
    pair.alice.restart()
    pair.world.settle()
    pair.world.advance()
    assert pair.alice.channel(pair.bob).met
    assert pair.alice.signer.asked == asked


def test_no_version_is_signed_before_the_own_channel_lists_it(pair: Pair) -> None:
    pair.world.network.lose(Propose)
    begin(pair)
    assert [game_of(party).signed for party in (pair.alice, pair.bob)] == [-1, -1]
    assert not pair.alice.told(GameBegan)


# -------------------------------------------------------------------------------------- invitations


def test_nothing_is_locked_before_the_invited_user_agrees(pair: Pair) -> None:
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    assert pair.bob.told(InvitationHeld)
    assert pair.bob.node.books.instances == {}
    consent(pair.bob, accept=False)
    pair.world.settle()
    (refused,) = pair.alice.told(InstanceRefused)
    assert isinstance(refused, InstanceRefused)
    assert refused.reason == "not wanted"
    assert pair.bob.node.books.invitations == pair.alice.node.books.invitations == {}


def test_invitation_that_comes_twice_waits_once(pair: Pair) -> None:
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    (mine,) = pair.alice.node.books.invitations.values()
    invite = Invite(mine.terms, pair.channel, pair.bob.channel(pair.alice).channel.asset)
    pair.world.settle()
    pair.bob.node.post([Received(pair.alice.peer, invite)])
    pair.world.settle()
    assert len(pair.bob.told(InvitationHeld)) == 1


def test_nobody_fills_the_room_for_invitations(pair: Pair) -> None:
    for _ in range(12):
        invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    assert len(pair.bob.told(InvitationHeld)) == 8
    assert len(pair.alice.told(InstanceRefused)) == 4


def test_invitation_cannot_take_the_place_of_an_own_one(pair: Pair) -> None:
    """Mallory chooses the half by which Bob's own invitation is known."""
    pair.world.network.lose(Invite)
    invite_to_game(pair.world, pair.bob, pair.channel, 60, 70)
    (own,) = pair.bob.node.books.invitations.values()
    terms = own.terms
    assert isinstance(terms, Game)
    theirs = replace(terms, alice=terms.bob, bob=terms.alice)
    invite = Invite(theirs, pair.channel, pair.bob.channel(pair.alice).channel.asset)
    pair.bob.node.post([Received(pair.alice.peer, invite)])
    pair.bob.node.turn()
    assert [*pair.bob.node.books.invitations.values()] == [own]
    assert not pair.bob.told(InvitationHeld)


def test_invitations_that_are_over_are_forgotten(pair: Pair) -> None:
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60, life=500)
    pair.world.settle()
    for _ in range(30):
        pair.world.advance(24)
    assert pair.bob.node.books.invitations == pair.alice.node.books.invitations == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"own_lock": Wei(0)}, "nothing to lose"),
        ({"challenge": Seconds(1)}, "outside our limits"),
        ({"own_bank": Seconds(2**20)}, "outside our limits"),
        ({"peer_bank": Seconds(1)}, "outside our limits"),
        ({"own_bank": Seconds(300)}, "too short for me"),
        ({"rules": Address(b"\x78" * 20)}, "not on my list"),
        ({"setup": bytes(31) + b"\x02"}, "do not begin so"),
        ({"validity": UnixTime(2**34 - 5)}, "does not fit"),
    ],
)
def test_terms_that_no_honest_player_takes_are_not_offered(
    pair: Pair, changes: dict[str, object], reason: str
) -> None:
    until, bank = UnixTime(pair.world.ledger.time + 10_000), Seconds(600)
    command = CommandGame(
        *(pair.channel, TIC_TAC_TOE, bytes(32), Wei(5), Wei(5), until),
        *(bank, bank, bank, pair.alice.random()),
    )
    with pytest.raises(InstanceRejected, match=reason):
        pair.alice.do(replace(command, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rules_hash": keccak(b"other code")}, "other code"),
        ({"rules": Address(b"\x78" * 20)}, "not on my list"),
        ({"bob_bank": Seconds(300)}, "too short for me"),
        ({"alice": Address(b"\x01" * 20)}, "keys are not yours and mine"),
    ],
)
def test_bad_invitations_do_not_reach_the_user(
    pair: Pair, changes: dict[str, object], reason: str
) -> None:
    """Mallory invites by rules with other code, in a key that is not hers."""
    pair.world.network.lose(Invite)
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    (mine,) = pair.alice.node.books.invitations.values()
    pair.world.network.rule = None
    invite = Invite(
        replace(mine.terms, **changes),  # type: ignore[arg-type]
        pair.channel,
        pair.bob.channel(pair.alice).channel.asset,
    )
    pair.bob.node.post([Received(pair.alice.peer, invite)])
    pair.world.settle()
    assert not pair.bob.told(InvitationHeld)
    (refused,) = pair.alice.told(InstanceRefused)
    assert isinstance(refused, InstanceRefused)
    assert reason in refused.reason


# ------------------------------------------------------------------------------ moves and cheating


def test_own_bad_moves_are_refused_before_anything_is_signed(pair: Pair) -> None:
    begin(pair)
    with pytest.raises(NotAllowedNow, match="other side's turn"):
        move(pair.bob, 0)
    with pytest.raises(Misuse, match="no such cell"):
        move(pair.alice, 9)
    play(pair.world, pair.alice, pair.bob, (0,))
    with pytest.raises(Misuse, match="cell taken"):
        move(pair.bob, 0)
    pair.world.network.lose(Played)
    move(pair.bob, 1)
    with pytest.raises(NotAllowedNow, match="not answered yet"):
        move(pair.bob, 2)


def test_nobody_gives_up_what_has_not_begun_or_is_over(pair: Pair) -> None:
    """A word of before would be carried out once it begins, and cost the whole lock."""
    pair.world.network.lose(Play)
    begin(pair)
    with pytest.raises(NotAllowedNow, match="has not begun"):
        pair.alice.do(CommandResign(only(pair.alice)))
    assert not game_of(pair.alice).resigned


def test_move_after_the_end_is_refused(pair: Pair) -> None:
    pair.world.network.lose(Propose)
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.network.rule = None
    pair.world.settle()
    consent(pair.bob)
    pair.world.settle()
    play(pair.world, pair.alice, pair.bob, ALICE_WINS)
    with pytest.raises(NotAllowedNow):
        move(pair.bob, 8)


def say(pair: Pair, ply: Ply, *, game: GameId | None = None) -> None:
    """Alice, who cheats, signs a position and shows it to Bob."""
    id = only(pair.bob)
    position = Position(game or GameId(id), ply.version, ply.turn, ply.shift, keccak(ply.position))
    signature = sign(digest(DEPLOYMENT, position), pair.alice.key)
    message = Play(id, ply.version, ply.turn, ply.shift, ply.position, ply.move, signature)
    pair.bob.node.post([Received(pair.alice.peer, message)])
    pair.bob.node.turn()


EMPTY = bytes(4)
RIGHT = Ply(Version(2), 2, Wei(0), bytes([0, 1, 0, 0]), bytes([0]))


@pytest.mark.parametrize(
    "changes",
    [
        {"position": bytes([0, 7, 0, 0])},
        {"turn": 0, "shift": Wei(-60)},
        {"turn": 1},
        {"shift": Wei(5)},
        {"move": bytes([9])},
        {"move": b""},
        {"version": Version(3)},
        {"version": Version(2**18 - 2)},
    ],
)
def test_position_that_the_rules_do_not_make_is_not_signed(
    pair: Pair, changes: dict[str, object]
) -> None:
    begin(pair)
    say(pair, replace(RIGHT, **changes))
    assert game_of(pair.bob).signed == agreed(pair.bob).version == 0
    (fault,) = [error for _, error in pair.bob.faults]
    assert isinstance(fault, UnexpectedMessage)


def test_right_position_is_signed_and_another_of_the_same_number_is_not(pair: Pair) -> None:
    """Two positions under one number: whoever held both would choose."""
    begin(pair)
    say(pair, RIGHT)
    assert agreed(pair.bob).version == 2
    other = replace(RIGHT, position=bytes([0, 2, 0, 0]), move=bytes([1]))
    say(pair, other)
    assert agreed(pair.bob).position == RIGHT.position


def test_position_of_another_game_is_no_signature_in_this_one(pair: Pair) -> None:
    begin(pair)
    say(pair, RIGHT, game=GameId(InstanceId(keccak(b"other stakes"))))
    assert agreed(pair.bob).version == 0
    (fault,) = [error for _, error in pair.bob.faults]
    assert isinstance(fault, BadSignature)


def test_position_of_the_same_game_for_other_stakes_is_none_in_this_one(pair: Pair) -> None:
    """The id hashes stakes and rules, so nothing signed for others counts here."""
    begin(pair)
    terms = terms_of(pair.bob)
    for changes in ({"alice_lock": Wei(7)}, {"rules": Address(b"\x78" * 20)}):
        other = replace(terms, **changes)  # type: ignore[arg-type]
        assert TURN_GAME.id(DEPLOYMENT, other) != only(pair.bob)


@pytest.mark.parametrize(
    "wrong",
    [Ply(Version(0), 0, Wei(-60), EMPTY, b""), Ply(Version(0), 1, Wei(0), RIGHT.position, b"")],
)
def test_game_begins_as_its_rules_say_and_not_as_the_other_side_does(
    pair: Pair, wrong: Ply
) -> None:
    """Mallory's first word is a board on which she has won, or one move ahead."""
    pair.world.network.lose(Play)
    begin(pair)
    pair.world.network.lose()
    say(pair, wrong)
    assert (game_of(pair.bob).agreed, game_of(pair.bob).held) == (None, None)
    (fault,) = [error for _, error in pair.bob.faults]
    assert "begin otherwise" in str(fault)


def test_out_of_turn_move_is_not_signed(pair: Pair) -> None:
    begin(pair, setup=1)
    say(pair, RIGHT)
    assert agreed(pair.bob).version == 0


def test_resignation_for_less_than_the_whole_lock_is_not_signed(pair: Pair) -> None:
    begin(pair)
    say(pair, Ply(Version(2), 0, Wei(69), EMPTY, b""))
    assert agreed(pair.bob).version == 0
    say(pair, Ply(Version(2), 0, Wei(70), EMPTY, b""))
    assert agreed(pair.bob).turn == 0


def test_strangers_do_not_play(pair: Pair) -> None:
    begin(pair)
    mallory = pair.world.party("mallory")
    id = only(pair.bob)
    for message in (
        Play(id, 2, 2, Wei(0), EMPTY, b"\0", Signature(bytes(65))),
        Played(id, 0, Signature(bytes(65))),
    ):
        pair.bob.node.post([Received(mallory.peer, message)])
        pair.bob.node.turn()
    assert len(pair.bob.faults) == 2


# ------------------------------------------------------------------------------ when somebody stops


def test_opponent_that_stops_in_the_middle_loses_by_the_clock(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    move(pair.alice, 1)
    pair.bob.node.books.instances.clear()  # gone, with his tower
    pair.alice.do(CommandClock(only(pair.alice)))
    wait(pair.world, 600 + 24)
    assert record(pair.world, pair.alice).turn == 1, "the move was not agreed on"
    wait(pair.world, 48)
    assert record(pair.world, pair.alice).live
    wait(pair.world, 600 + 24)
    on, terms = record(pair.world, pair.alice), terms_of(pair.alice)
    assert TURN_GAME.outcome(terms, on, pair.world.ledger.time) == -60


def test_stopped_game_is_taken_to_the_chain_before_it_is_too_late(pair: Pair) -> None:
    """Nobody says anything: who waits for the other opens by itself, a margin before the end."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    silence(pair.world)
    terms, margin = terms_of(pair.alice), pair.alice.limits.margin
    while pair.world.ledger.time < terms.validity:
        assert only(pair.alice) not in pair.world.ledger.instances or (
            pair.world.ledger.time > terms.validity - margin
        )
        pair.world.advance(24)
    assert record(pair.world, pair.alice).turn == 2
    assert submitted(pair.world) == 1, "Bob, whose clock would run, does not open"
    pair.world.network.rule = None
    wait(pair.world, 1_400)
    assert net(pair.alice, pair.channel) == -60
    no_faults(pair.alice)


def test_stale_position_is_answered_by_the_newest(pair: Pair) -> None:
    """Alice shows how it stood before Bob's good move."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0,))
    old = agreed(pair.alice)
    play(pair.world, pair.bob, pair.alice, (3, 1))
    silence(pair.world)
    id, terms = only(pair.alice), terms_of(pair.alice)
    position = Position(GameId(id), old.version, old.turn, old.shift, keccak(old.position))
    evidence = position_evidence(terms, position, old.alice, old.bob)
    app = TURN_GAME.app(DEPLOYMENT)
    pair.world.ledger.call(SubmitEvidence(app, id, evidence), pair.alice.account.address)
    wait(pair.world, 48)
    assert record(pair.world, pair.bob).version == agreed(pair.bob).version > old.version


def test_disputed_game_is_played_to_its_end_on_chain(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.alice.do(CommandDispute(pair.channel))
    move(pair.alice, 1)
    wait(pair.world, 700)
    assert record(pair.world, pair.alice).live
    move(pair.bob, 4)
    pair.world.advance()
    move(pair.alice, 2)
    pair.world.advance()
    on = record(pair.world, pair.alice)
    assert (on.turn, on.shift) == (0, -60)
    wait(pair.world, 1_200)
    assert shares(pair.world, pair.alice, pair.bob) == [1_060, 940]
    no_faults(pair.alice, pair.bob)


def test_finished_game_counts_on_chain_though_the_loser_is_silent(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, ALICE_WINS[:-1])
    pair.world.network.lose(Propose)
    play(pair.world, pair.alice, pair.bob, ALICE_WINS[-1:])
    assert agreed(pair.alice).turn == 0
    silence(pair.world)
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world)
    assert shares(pair.world, pair.alice, pair.bob) == [1_060, 940]


def test_loser_that_does_not_sign_its_loss_loses_on_chain(pair: Pair) -> None:
    """Bob withholds his signature under the last move: Alice makes it on chain."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, ALICE_WINS[:-1])
    pair.world.network.lose(Played, Play)
    move(pair.alice, ALICE_WINS[-1])
    pair.world.settle()
    pair.alice.do(CommandClock(only(pair.alice)))
    wait(pair.world, 700)
    assert (record(pair.world, pair.alice).turn, record(pair.world, pair.alice).shift) == (0, -60)


def test_position_that_was_signed_in_secret_and_submitted_is_played_on(pair: Pair) -> None:
    """Bob countersigns Alice's move, keeps it to himself, and submits it."""
    begin(pair)
    pair.world.network.lose(Played)
    move(pair.alice, 0)
    pair.world.settle()
    assert agreed(pair.alice).version == 0
    silence(pair.world)
    pair.bob.do(CommandMove(only(pair.bob), bytes([3])))
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 700)
    assert record(pair.world, pair.alice).live
    move(pair.alice, 1)
    pair.world.advance()
    assert record(pair.world, pair.alice).turn == 2
    no_faults(pair.alice, pair.bob)


def test_game_over_a_hub_that_falls_silent_is_paid_by_the_chain(trio: Trio) -> None:
    begin_over(trio)
    play(trio.world, trio.alice, trio.bob, ALICE_WINS[:-1])
    trio.world.network.lose(Propose)
    play(trio.world, trio.alice, trio.bob, ALICE_WINS[-1:])
    silence(trio.world)
    trio.alice.do(CommandDispute(trio.left))
    trio.bob.do(CommandDispute(trio.right))
    wait(trio.world)
    paid = shares(trio.world, trio.alice, trio.bob, trio.ingrid)
    assert paid == [1_060, 940, 2_000]


@pytest.mark.parametrize("early", [True, False])
def test_legs_of_a_hub_settled_at_different_times_pay_alike(trio: Trio, early: bool) -> None:
    """One leg is settled as soon as that goes, the other long after the final time."""
    begin_over(trio)
    play(trio.world, trio.alice, trio.bob, (0,))
    silence(trio.world)
    terms = terms_of(trio.alice)
    first, second = (trio.alice, trio.bob) if early else (trio.bob, trio.alice)
    first.do(CommandDispute(trio.left if early else trio.right))
    while trio.world.ledger.time < TURN_GAME.end_time(terms) + 600:
        trio.world.advance(24)
    second.do(CommandDispute(trio.right if early else trio.left))
    wait(trio.world, 3_000)
    paid = shares(trio.world, trio.alice, trio.bob, trio.ingrid)
    assert paid == [1_060, 940, 2_000], "Bob was to move, and did not"


def test_game_that_never_began_moves_nothing(pair: Pair) -> None:
    pair.world.network.lose(Play)
    begin(pair)
    silence(pair.world)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


def test_who_knows_only_the_chain_is_told_and_moves_in_time(pair: Pair) -> None:
    """Bob takes it to the chain when it is Alice's turn: her clock runs, and she moves there."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 648)
    assert not record(pair.world, pair.alice).live
    move(pair.alice, 1)
    pair.world.advance()
    on = record(pair.world, pair.alice)
    assert (on.live, on.turn) == (True, 2)
    wait(pair.world, 648)
    assert TURN_GAME.outcome(terms_of(pair.bob), on, pair.world.ledger.time) == -60


def test_move_is_not_signed_for_the_chain_while_newer_positions_may_come(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 48)
    move(pair.alice, 1)
    assert game_of(pair.alice).chain_move is None
    wait(pair.world, 648)
    assert record(pair.world, pair.alice).live


def test_only_one_move_is_signed_for_a_position_on_chain(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 648)
    pair.alice.chain.mining = False
    move(pair.alice, 1)
    with pytest.raises(NotAllowedNow, match="not answered yet"):
        move(pair.alice, 2)
    made = game_of(pair.alice).chain_move
    assert made is not None
    assert made.move == bytes([1])


def test_move_after_the_time_is_over_is_refused(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 1_400)
    before = submitted(pair.world)
    with pytest.raises(NotAllowedNow):
        move(pair.alice, 1)
    wait(pair.world, 48)
    assert submitted(pair.world) == before


def test_moves_do_not_ride_on_a_register(pair: Pair) -> None:
    """It gives evidence less gas than rules may need."""
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    silence(pair.world)
    pair.bob.do(CommandClock(only(pair.bob)))
    wait(pair.world, 648)
    pair.alice.chain.mining = False
    move(pair.alice, 1)
    pair.alice.do(CommandDispute(pair.channel))
    (register,) = [
        wish.transaction for key, wish in pair.alice.chain.pool.items() if key[:1] == b"r"
    ]
    assert not any(register.evidence)  # type: ignore[union-attr]


# --------------------------------------------------------------------------------- what it is worth


def guaranteed(party: Party, other: Party) -> int:
    return int(balance(party.node.books, party.channel(other)).guaranteed)


def test_game_counts_as_lost_until_it_is_won(pair: Pair) -> None:
    begin(pair)
    assert (guaranteed(pair.alice, pair.bob), guaranteed(pair.bob, pair.alice)) == (930, 940)
    pair.world.network.lose(Propose)
    play(pair.world, pair.alice, pair.bob, ALICE_WINS)
    assert (guaranteed(pair.alice, pair.bob), guaranteed(pair.bob, pair.alice)) == (1_060, 940)


def test_game_is_worth_nothing_before_we_have_signed_how_it_begins(pair: Pair) -> None:
    pair.alice.signer.slow = None
    pair.world.network.lose(Propose)
    begin(pair)
    assert guaranteed(pair.alice, pair.bob) == 1_000


def test_move_of_a_game_is_as_the_contract_takes_it(pair: Pair) -> None:
    begin(pair)
    terms, id = terms_of(pair.alice), only(pair.alice)
    move_signed = Move(GameId(id), Version(0), keccak(EMPTY), keccak(b"\0"))
    signature = sign(digest(DEPLOYMENT, move_signed), pair.alice.key)
    evidence = move_evidence(terms, EMPTY, b"\0", signature)
    app = TURN_GAME.app(DEPLOYMENT)
    assert pair.world.ledger.nanocontract(app).about(evidence)[0] == id


def test_users_hear_when_a_game_begins_and_of_each_position(pair: Pair) -> None:
    begin(pair)
    play(pair.world, pair.alice, pair.bob, (0, 3))
    id = only(pair.alice)
    for party in (pair.alice, pair.bob):
        assert party.told(GameBegan) == [GameBegan(id)]
        assert party.told(GameMoved) == [GameMoved(id, Version(version)) for version in (2, 3)]


# ----------------------------------------------------------------------- each condition by itself


def placed(version: int, turn: int, shift: int = 0) -> Ply:
    """A position that both have signed."""
    signed = Signature(b"\x01" * 65)
    return Ply(Version(version), turn, Wei(shift), b"board", b"\x00", signed, signed)


def test_end_is_known_only_while_we_have_signed_nothing_above_it(pair: Pair) -> None:
    """A slow signer may be at work on the other end's resignation when our winning move stands."""
    begin(pair)
    known = seen(pair.alice)
    totals = Totals(known.id)
    for signed, shift in ((4, -60), (5, None)):
        view = GameView(agreed=placed(4, 0, -60), signed=signed)
        instance = replace(known, game=view)
        assert TURN_GAME.known(terms_of(pair.alice), instance, totals) == shift


def test_position_by_which_our_own_clock_runs_waits_for_our_move(pair: Pair) -> None:
    begin(pair)
    known, draft = seen(pair.alice), at(pair.alice)
    for view, due in (
        (GameView(agreed=placed(4, 2)), True),
        (GameView(agreed=placed(4, 1)), False),
        (GameView(agreed=placed(4, 1), choice=(Version(4), b"\x01")), True),
        (GameView(agreed=placed(4, 1), choice=(Version(2), b"\x01")), False),
        (GameView(agreed=placed(4, 1), called=4), True),
    ):
        assert (TURN_GAME.due(draft, replace(known, game=view)) is not None) is due


def test_older_position_on_chain_is_answered_unless_nothing_is_worse_for_us(pair: Pair) -> None:
    begin(pair)
    known, draft = seen(pair.alice), at(pair.alice)
    start = UnixTime(draft.now + 100)
    older = GameRecord(Version(2), 1, Wei(0), False, start, Seconds(0), Seconds(0))
    for version, shift, due in ((4, 70, False), (4, 69, True), (4, -60, True), (2, 0, False)):
        view = GameView(agreed=placed(version, 0, shift))
        found = TURN_GAME.due(draft, replace(known, game=view, head=older))
        assert (found is not None) is due


def test_game_on_chain_is_not_resigned(pair: Pair) -> None:
    begin(pair)
    books = pair.alice.node.books
    known = books.instances[only(pair.alice)]
    on = GameRecord(Version(0), 1, Wei(0), False, UnixTime(0), Seconds(0), Seconds(0))
    books.load(replace(known, head=on))
    with pytest.raises(NotAllowedNow, match="on chain"):
        pair.alice.do(CommandResign(known.id))
    books.load(known)
    pair.alice.do(CommandResign(known.id))
