"""Rock, paper, scissors, between two and over a hub: chosen blindly, and whoever stops pays."""

from __future__ import annotations

import pytest

from perun.core.inputs import CommandDispute
from perun.core.nanocontracts.rock_paper_scissors import (
    ROCK_PAPER_SCISSORS,
    hand_of,
    hands_shift,
    with_hand,
)
from perun.core.state import LegStatus, Role
from perun.encoding.messages import Propose, ReadySigned, RevealSecret
from perun.testing.stories import consent, throw_hand
from perun.types import FlipRecord, Hands, Salt, Seconds, UnixTime, Wei

from .conftest import Pair, Trio
from .ends import net, only, seen, shares, status, wait
from .test_flips import shown, submitted

ROCK, PAPER, SCISSORS = range(3)
WINS = {(ROCK, SCISSORS), (SCISSORS, PAPER), (PAPER, ROCK)}


def expected(alice: int, bob: int) -> int:
    """What Alice, who stakes 70, pays Bob, who stakes 60."""
    return 0 if alice == bob else -60 if (alice, bob) in WINS else 70


def play(pair: Pair, alice: int, bob: int) -> None:
    throw_hand(pair.world, pair.alice, pair.channel, 70, 60, alice)
    pair.world.settle()
    consent(pair.bob, word=bytes([bob]))
    pair.world.settle()


# -------------------------------------------------------------------------------- when all is well


@pytest.mark.parametrize("alice", range(3))
@pytest.mark.parametrize("bob", range(3))
def test_hands_are_shown_and_paid_at_once(pair: Pair, alice: int, bob: int) -> None:
    play(pair, alice, bob)
    shift = expected(alice, bob)
    for party in (pair.alice, pair.bob):
        assert net(party, pair.channel) == shift
        assert status(party) is LegStatus.REMOVED
        assert [hand_of(one) for one in seen(party).secrets] == [alice, bob]
        assert party.faults == []
    assert submitted(pair.world) == 0


def test_whoever_names_no_hand_throws_by_chance(pair: Pair) -> None:
    seen = set()
    for _ in range(12):
        throw_hand(pair.world, pair.alice, pair.channel, 7, 7, ROCK)
        pair.world.settle()
        before = set(pair.bob.node.books.instances)
        consent(pair.bob)
        pair.world.settle()
        (new,) = set(pair.bob.node.books.instances) - before
        seen.add(hand_of(pair.bob.node.books.instances[new].secrets[Role.BOB]))
    assert len(seen) > 1


@pytest.mark.parametrize("bob", range(3))
def test_hands_over_a_hub_cost_the_hub_nothing(trio: Trio, bob: int) -> None:
    throw_hand(trio.world, trio.alice, trio.left, 70, 60, ROCK, end=trio.bob)
    trio.world.settle()
    consent(trio.bob, word=bytes([bob]))
    trio.world.settle()
    shift = expected(ROCK, bob)
    assert (net(trio.ingrid, trio.left), net(trio.ingrid, trio.right)) == (shift, -shift)
    assert status(trio.alice) is LegStatus.REMOVED
    assert shown(trio.ingrid) == (False, False)


def test_nothing_is_locked_before_the_invited_user_agrees(pair: Pair) -> None:
    throw_hand(pair.world, pair.alice, pair.channel, 70, 60, ROCK)
    pair.world.settle()
    assert not pair.bob.node.books.instances
    consent(pair.bob, accept=False)
    pair.world.settle()
    assert not pair.alice.node.books.instances


# ---------------------------------------------------------------------------------------- attacks


@pytest.mark.parametrize("lost", [Propose, ReadySigned])
def test_no_hand_is_shown_before_both_are_bound(trio: Trio, lost: type) -> None:
    trio.world.network.lose(lost)
    throw_hand(trio.world, trio.alice, trio.left, 70, 60, ROCK, end=trio.bob)
    trio.world.settle()
    consent(trio.bob, word=bytes([PAPER]))
    trio.world.settle()
    trio.world.advance(12, 3)
    for party, knows in ((trio.alice, (True, False)), (trio.bob, (False, True))):
        if party.node.books.instances:
            assert shown(party) == knows


def test_every_last_byte_is_one_of_three_hands() -> None:
    for last in range(256):
        for hand in range(3):
            secret = with_hand(bytes(31) + bytes([last]), hand)
            assert (len(secret), hand_of(secret)) == (32, hand)


def test_who_sees_a_hand_on_chain_answers_it_unless_it_only_pays(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    play(pair, PAPER, PAPER)
    pair.world.network.rule = lambda _letter: ()
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


@pytest.mark.parametrize("silent", ["alice", "bob"])
def test_silence_costs_the_whole_lock(pair: Pair, silent: str) -> None:
    pair.world.network.lose(RevealSecret)
    play(pair, ROCK, ROCK)
    hands = seen(pair.alice).terms
    assert isinstance(hands, Hands)
    ledger, other = pair.world.ledger, pair.bob if silent == "alice" else pair.alice
    gone = pair.alice if silent == "alice" else pair.bob
    id = only(other)
    pair.world.network.leave(gone.peer)
    gone.node = None  # type: ignore[assignment]  # gone, with its tower
    while ledger.time <= hands.validity + hands.window:
        ledger.advance(24)
        other.node.turn()
    record = ledger.instances[id]
    assert isinstance(record, FlipRecord)
    end = UnixTime(record.deadline + 1)
    lost = 70 if silent == "alice" else -60
    assert ROCK_PAPER_SCISSORS.outcome(hands, record, end) == lost


def test_shift_is_what_the_contract_says() -> None:
    hands = Hands(
        *(Wei(70), Wei(60), bytes(32), bytes(32)),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    )
    for alice in range(256):
        for bob in (0, 1, 2, 254, 255):
            shift = hands_shift(hands, bytes(31) + bytes([alice]), bytes(31) + bytes([bob]))
            assert shift == expected(alice % 3, bob % 3)
