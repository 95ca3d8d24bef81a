"""Mallory throws: she invites twice to learn a hand, or speaks where silence would be a draw."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.nanocontracts.rock_paper_scissors import ROCK_PAPER_SCISSORS, hand_of
from perun.core.state import InstanceView
from perun.encoding.coin_flip import flip_commit
from perun.encoding.messages import RevealSecret
from perun.testing.parties import Party
from perun.testing.stories import OPEN_HANDED, consent, throw_hand
from perun.types import FlipRecord, Hands, Salt, Seconds, UnixTime, Wei
from tests.core.conftest import new_pair
from tests.core.crafted import at

ROCK, PAPER, SCISSORS = range(3)


def only(party: Party) -> InstanceView:
    (instance,) = party.node.books.instances.values()
    return instance


def test_second_answer_with_another_hand_shows_nothing_of_the_first() -> None:
    """Alice says an invitation again, and is answered by another hand: from one opened commitment
    she must not find the other, of which she would know all but the last byte."""
    hands = Hands(
        *(Wei(7), Wei(5), bytes(32), bytes(32)),
        *(UnixTime(1_000), Seconds(600), Salt(bytes(32))),
    )
    halves = [ROCK_PAPER_SCISSORS.half(b"seed", hands, bytes([hand])) for hand in range(3)]
    secrets = [secret for _, secret in halves]
    assert [hand_of(secret) for secret in secrets] == [ROCK, PAPER, SCISSORS]
    assert len({secret[:-1] for secret in secrets}) == 3
    for half, secret in halves:
        assert half == flip_commit(True, secret)


def test_equal_hands_are_said_on_chain_only_in_answer() -> None:
    """Nobody gains by speaking first; but whoever then stays silent would pay."""
    pair = new_pair(OPEN_HANDED)
    pair.world.network.lose(RevealSecret)
    throw_hand(pair.world, pair.alice, pair.channel, 70, 60, ROCK)
    pair.world.settle()
    consent(pair.bob, word=bytes([ROCK]))
    pair.world.settle()
    for party in (pair.alice, pair.bob):
        secrets = (only(pair.alice).secrets[0], only(pair.bob).secrets[1])
        both = replace(only(party), secrets=secrets)
        draft = at(party, UnixTime(pair.world.ledger.time))
        assert ROCK_PAPER_SCISSORS.due(draft, both) is None
        role = party is pair.bob
        end = UnixTime(pair.world.ledger.time + 600)
        said = FlipRecord(*(b"" if side == role else secrets[side] for side in range(2)), end)
        due = ROCK_PAPER_SCISSORS.due(draft, replace(both, head=said))
        assert due is not None
        assert (due.answers, due.before) == (True, end)
