"""What kinds answer about a row of theirs, of an end's and of a hub's, whoever asks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import InstanceRejected, UnexpectedMessage
from perun.core.game_view import GameView
from perun.core.nanocontracts import hash_chain
from perun.core.nanocontracts.escrow import DEALS, ESCROW, HeldAward
from perun.core.nanocontracts.hash_chain import HASH_CHAIN, STREAMS, CommandTick
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.kinds import kind_of
from perun.core.nanocontracts.machine import MACHINE
from perun.core.nanocontracts.price_bet import BETS, PRICE_BET, HeldPrice
from perun.core.nanocontracts.rock_paper_scissors import ROCK_PAPER_SCISSORS, with_hand
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.signing import digest
from perun.core.state import LegStatus, Role, Totals
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.encoding.messages import (
    LetGo,
    OfInstance,
    Play,
    Played,
    Propose,
    RevealSecret,
    ShowPrice,
    Ticked,
    Ticks,
)
from perun.testing.parties import DEPLOYMENT
from perun.testing.stories import (
    GAMBLER,
    SECRET,
    add_lock,
    add_machine,
    consent,
    flip_coin,
    throw_hand,
)
from perun.types import (
    ChannelId,
    FlipRecord,
    InstanceId,
    Lock,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
)

from . import test_bets, test_deals, test_games, test_streams
from .conftest import Pair, Trio, new_pair, new_trio
from .crafted import at, said
from .ends import seen, status
from .test_hands import expected

KINDS = ["bet", "deal", "flip", "game", "hands", "stream"]
OWN = {
    "bet": {ShowPrice},
    "deal": {LetGo},
    "flip": {RevealSecret},
    "game": {Play, Played},
    "hands": {RevealSecret},
    "stream": {Ticks, Ticked},
}
"""What the ends of each say of it."""


def locked(kind: str, pair: Pair | Trio) -> None:
    """One of this kind that both ends have locked, and nobody knows what comes of it."""
    world, alice, bob = pair.world, pair.alice, pair.bob
    world.network.lose(RevealSecret)
    channel = pair.channel if isinstance(pair, Pair) else pair.left
    end = bob if isinstance(pair, Trio) else None
    over = isinstance(pair, Trio)
    if kind == "flip":
        flip_coin(world, alice, channel, 70, 60, end=end)
    elif kind == "hands":
        throw_hand(world, alice, channel, 70, 60, 0, end)
        world.settle()
        consent(bob, word=b"\1")
    elif kind == "bet":
        (test_bets.begin_over if over else test_bets.begin)(pair)  # type: ignore[operator]
    elif kind == "deal":
        (test_deals.begin_over if over else test_deals.begin)(pair)  # type: ignore[operator]
    elif kind == "game":
        (test_games.begin_over if over else test_games.begin)(pair)  # type: ignore[operator]
    else:
        (test_streams.begin_over if over else test_streams.begin)(pair)  # type: ignore[operator]
    world.settle()
    world.advance()
    assert status(alice) is status(bob) is LegStatus.LISTED


def messages(id: InstanceId) -> list[OfInstance]:
    """One of each sort that is said of instances."""
    word, signature = bytes(32), Signature(b"\x01" * 65)
    return [
        RevealSecret(id, word),
        Play(id, 0, 1, Wei(0), b"", b"", signature),
        Played(id, 0, signature),
        LetGo(id, Wei(0)),
        Ticks(id, Wei(0), word, 1, word, signature),
        Ticked(id, Wei(0)),
        ShowPrice(id, Wei(0), signature),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_other_kinds_is_a_fault(kind: str) -> None:
    pair = new_pair(GAMBLER)
    locked(kind, pair)
    instance = seen(pair.bob)
    others = [one for one in messages(instance.id) if type(one) not in OWN[kind]]
    assert len(others) >= 5
    for message in others:
        with pytest.raises(UnexpectedMessage):
            kind_of(instance.terms).hear(at(pair.bob), instance, message)


@pytest.mark.parametrize("kind", KINDS)
def test_hub_loses_nothing_by_what_crosses_it_and_adds_nothing_to_a_removal(kind: str) -> None:
    trio = new_trio(GAMBLER)
    locked(kind, trio)
    instance, role = seen(trio.ingrid), kind_of(seen(trio.ingrid).terms)
    assert instance.role is None
    totals = Totals(instance.id)
    assert role.worst(instance.terms, instance, totals) == 0
    assert role.enforceable(instance.terms, instance, totals, UnixTime(0)) == 0
    removal = Propose(State(trio.left, Version(9), Wei(0), ()), Signature(b""), 0)
    assert role.show(at(trio.ingrid), instance, removal) == removal
    assert role.due(at(trio.ingrid), instance) is None


# ------------------------------------------------------------------------------------ towers


def test_award_price_and_position_of_somebody_else_are_not_watched() -> None:
    """The chain would refuse them, and a tower is told so before it promises anything."""
    forged = Signature(b"\x01" * 65)
    pair = new_pair(GAMBLER)
    locked("deal", pair)
    deployment, deal = pair.bob.node.books.config.deployment, seen(pair.bob)
    for signature, good in ((test_deals.word(deal.id, 5), True), (forged, False)):
        held = replace(DEALS.of(deal), awards=(HeldAward(Wei(5), signature),))
        why = ESCROW.why_unwatched(deployment, DEALS.into(deal, held))
        assert (why is None) is good

    pair = new_pair(GAMBLER)
    locked("bet", pair)
    bet = seen(pair.bob)
    for signature, good in ((test_bets.word(pair.bob, 2_050), True), (forged, False)):
        held_price = HeldPrice(Wei(2_050), Wei(5), signature)
        shown = BETS.into(bet, replace(BETS.of(bet), prices=(held_price,)))
        assert (PRICE_BET.why_unwatched(deployment, shown) is None) is good


def test_game_that_is_agreed_on_by_one_side_is_nothing_to_defend() -> None:
    pair = new_pair(GAMBLER)
    locked("game", pair)
    game = seen(pair.bob)
    assert TURN_GAME.defending(game).game is not None
    begun = replace(game, game=GameView(own=test_games.placed(0, 1), signed=0))
    assert TURN_GAME.defending(begun).game is None
    assert TURN_GAME.height(begun) == 0


# ------------------------------------------------------------------------------ one kind each


@pytest.mark.parametrize(("shift", "shows"), [(70, Role.BOB), (-60, Role.ALICE), (0, None)])
def test_end_of_a_game_goes_to_the_chain_by_who_is_paid(shift: int, shows: Role | None) -> None:
    pair = new_pair(GAMBLER)
    locked("game", pair)
    for role, party in zip(Role, (pair.alice, pair.bob), strict=True):
        over = replace(seen(party), game=GameView(agreed=test_games.placed(4, 0, shift), signed=4))
        found = TURN_GAME.due(at(party), over)
        assert (found is not None) is (role is shows)
        assert found is None or not found.answers


@pytest.mark.parametrize("nothing", ["alice_lock", "bob_lock"])
def test_nobody_plays_for_nothing(nothing: str) -> None:
    pair = new_pair(GAMBLER)
    locked("game", pair)
    limits = pair.bob.node.books.config.limits
    terms = test_games.terms_of(pair.bob)
    TURN_GAME.check(limits, terms)
    with pytest.raises(InstanceRejected, match="nothing to lose"):
        TURN_GAME.check(limits, replace(terms, **{nothing: Wei(0)}))


@pytest.mark.parametrize(
    ("price", "proposes"), [(2_300, Role.BOB), (1_900, Role.ALICE), (2_000, Role.ALICE)]
)
def test_who_is_paid_by_a_price_proposes_the_removal(price: int, proposes: Role) -> None:
    """In a channel of two one is enough, and two would cross; at nothing it is Alice."""
    pair = new_pair(GAMBLER)
    locked("bet", pair)
    for role, party in zip(Role, (pair.alice, pair.bob), strict=True):
        bet = seen(party)
        shift = Wei((price - 2_000) // 10)
        held = HeldPrice(Wei(price), shift, test_bets.word(party, price))
        draft = at(party)
        row = BETS.into(bet, replace(BETS.of(bet), prices=(held,)))
        assert PRICE_BET.acts(draft, row) is (role is proposes)
        assert [type(message) for message in said(draft)] == [ShowPrice]


def test_no_value_of_a_chain_of_hashes_is_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was given all of one knows nothing of the one after it, nor of another stream's."""
    monkeypatch.setattr(hash_chain, "MOST_TICKS", 64)
    pair = new_pair(GAMBLER)
    test_streams.begin(pair, lock=900, size=1)
    views = []
    for ticks in (64, 1):
        pair.alice.do(CommandTick(seen(pair.alice).id, ticks))
        pair.world.settle()
        views.append(STREAMS.of(seen(pair.alice)))
    first, second = views
    assert (first.base, second.base) == (0, 64)
    assert not {first.root, *first.rungs} & {second.root, *second.rungs}


def test_payee_shows_nothing_of_a_stream_in_which_it_was_given_nothing() -> None:
    pair = new_pair(GAMBLER)
    locked("stream", pair)
    assert HASH_CHAIN.due(at(pair.bob), seen(pair.bob)) is None


@pytest.mark.parametrize("alice", range(3))
@pytest.mark.parametrize("bob", range(3))
def test_hands_on_chain_come_to_what_they_come_to_off_chain(alice: int, bob: int) -> None:
    pair = new_pair(GAMBLER)
    locked("hands", pair)
    terms = seen(pair.alice).terms
    secrets = (with_hand(b"\x05" * 32, alice), with_hand(b"\x06" * 32, bob))
    record = FlipRecord(*secrets, UnixTime(1_000))
    assert ROCK_PAPER_SCISSORS.outcome(terms, record, UnixTime(0)) == expected(alice, bob)


@pytest.mark.parametrize("kind", ["flip", "hands"])
def test_removal_shows_our_secret_to_the_other_end_and_none_to_a_hub(kind: str) -> None:
    pair, trio = new_pair(GAMBLER), new_trio(GAMBLER)
    removal = Propose(State(ChannelId(bytes(32)), Version(9), Wei(0), ()), Signature(b""), 0)
    for cast in (pair, trio):
        locked(kind, cast)
        instance = seen(cast.alice)
        shown = kind_of(instance.terms).show(at(cast.alice), instance, removal)
        assert shown.preimage == (instance.secrets[Role.ALICE] if cast is pair else None)


def test_secret_is_worth_its_lock_until_the_deadline_to_who_holds_it() -> None:
    pair = new_pair(GAMBLER)
    add_lock(pair.world, pair.alice, pair.channel, 40, keccak(SECRET))
    instance = seen(pair.bob)
    assert isinstance(instance.terms, Lock)
    knowing, end = replace(instance, preimage=SECRET), instance.terms.deadline
    totals = Totals(instance.id)
    for row, time, worth in ((knowing, end, 40), (knowing, end + 1, 0), (instance, end, 0)):
        assert HASH_LOCK.enforceable(row.terms, row, totals, UnixTime(time)) == worth


def test_hub_shows_a_statement_to_no_end_but_to_the_hub_before_it() -> None:
    """Over one hub both ends have it already."""
    trio = new_trio(GAMBLER)
    id = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    instance, draft = seen(trio.ingrid), at(trio.ingrid)
    signature = sign(digest(DEPLOYMENT, Statement(id, Wei(5))), trio.alice.key)
    removal = Propose(State(trio.left, Version(9), Wei(0), ()), Signature(b""), 0)
    draft.put(Totals(id, Wei(0), Wei(0), Signature(b""), Wei(5), signature))
    crossing = draft.hub_instance(id)
    assert crossing is not None
    for onward, held, shows in (((), 5, 0), ((b"next",), 5, 5), ((b"next",), 0, 0)):
        draft.put(replace(crossing, onward=onward))
        if not held:
            draft.put(Totals(id))
        assert MACHINE.show(draft, instance, removal).received == shows
    draft.drop(crossing)
    assert MACHINE.show(draft, instance, removal) == removal
