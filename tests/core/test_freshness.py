"""[A6] How a party knows that its view of the chain is fresh, whatever clock or endpoint says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    ChainBlock,
    CommandClose,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    Tick,
)
from perun.core.notices import PaymentReceived
from perun.testing.parties import LIMITS, Party
from perun.testing.stories import add_machine
from perun.types import ChannelId, UnixTime, Wei

from .conftest import Pair, Trio

DAY = 86_400
YEAR = 365 * DAY


def tell_block(party: Party, ahead: int) -> None:
    """The endpoint serves one block, newest and final, whose time is so much later."""
    now = party.ledger.time
    number = party.ledger.number + 1
    party.node.post([ChainBlock(number, UnixTime(now + ahead), number, UnixTime(now + ahead))])
    party.node.turn()


def version(party: Party, id: ChannelId) -> int:
    agreed = party.node.books.channels[id].agreed
    return 0 if agreed is None else agreed.state.version


@pytest.mark.parametrize("ahead", [YEAR, LIMITS.freshness + 1, -YEAR, -LIMITS.freshness - 1])
def test_nothing_is_signed_at_a_block_time_far_from_our_own_clock(pair: Pair, ahead: int) -> None:
    tell_block(pair.alice, ahead)
    with pytest.raises(NotAllowedNow, match=r"by our clock|ahead of our clock"):
        pair.alice.do(CommandTransfer(pair.channel, Wei(1)))
    tell_block(pair.bob, ahead)
    signed = pair.bob.signer.asked
    tell_block(pair.alice, 1)
    pair.alice.do(CommandTransfer(pair.channel, Wei(1)))
    pair.world.settle()
    assert pair.bob.signer.asked == signed

    # One such block does no harm that the next does not end.
    pair.world.advance()
    pair.world.advance(LIMITS.patience + 1)
    assert version(pair.bob, pair.channel) > 0


def test_removal_at_shift_zero_is_not_countersigned_at_a_block_a_year_ahead(pair: Pair) -> None:
    """Its time says that the machine has lapsed unsubmitted, so that nobody would be paid."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0)
    pair.alice.do(CommandPay(machine, Wei(200)))
    pair.world.settle()
    for party in (pair.alice, pair.bob):
        tell_block(party, YEAR)
    signed = pair.bob.signer.asked
    pair.alice.clock.ahead = YEAR  # she is in league with the endpoint
    tell_block(pair.alice, YEAR)
    pair.alice.node.turn()
    pair.world.settle()
    assert pair.bob.signer.asked == signed
    assert pair.bob.node.books.instances[machine].legs
    assert pair.bob.node.books.totals[machine].received == 200


def test_nothing_is_forgotten_by_a_block_a_year_ahead(pair: Pair) -> None:
    """Rows of what is over are dropped, and an offer that has lapsed is let go of: for good."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0)
    pair.alice.do(CommandPay(machine, Wei(200)))
    pair.world.settle()
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()
    pair.world.network.rule = lambda _letter: ()
    pair.alice.do(CommandClose(pair.channel))
    books = pair.alice.node.books
    assert machine in books.instances
    assert books.channels[pair.channel].close is not None
    tell_block(pair.alice, YEAR)
    assert machine in books.instances
    assert books.channels[pair.channel].close is not None

    # What is so is believed when our own clock agrees.
    pair.alice.clock.ahead = YEAR
    tell_block(pair.alice, YEAR + 1)
    assert machine not in books.instances


@pytest.mark.parametrize("behind", [0, LIMITS.freshness])
def test_view_is_stale_when_no_newer_block_comes(pair: Pair, behind: int) -> None:
    """A silent endpoint: our own clock may be behind, and what it counts is enough."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0)
    pair.bob.clock.ahead = -behind
    pair.world.advance()
    pair.bob.clock.ahead += LIMITS.freshness + 1
    pair.alice.do(CommandPay(machine, Wei(1)))
    pair.world.settle()
    assert pair.bob.told(PaymentReceived) == []
    with pytest.raises(NotAllowedNow, match="too old"):
        pair.bob.do(CommandTransfer(pair.channel, Wei(1)))


def test_same_block_again_is_no_news(pair: Pair) -> None:
    """An endpoint that repeats itself, or goes back, does not make our view any younger."""
    for _ in range(4):
        pair.bob.clock.ahead += LIMITS.freshness // 3
        tell_block(pair.bob, -12)
        pair.bob.node.post([pair.bob.chain.block()])
        pair.bob.node.turn()
        tell_block(pair.bob, 0)
    with pytest.raises(NotAllowedNow, match="too old"):
        pair.bob.do(CommandTransfer(pair.channel, Wei(1)))


def test_clock_that_was_a_day_ahead_and_is_corrected_stops_nothing(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0)
    for party in (pair.alice, pair.bob):
        party.clock.ahead = DAY
        party.node.turn()
    with pytest.raises(NotAllowedNow, match="by our clock"):
        pair.alice.do(CommandPay(machine, Wei(1)))
    for party in (pair.alice, pair.bob):
        party.clock.ahead = 0
    pair.world.advance()
    pair.alice.do(CommandPay(machine, Wei(1)))
    pair.world.settle()
    assert len(pair.bob.told(PaymentReceived)) == 1


def test_patience_is_not_stopped_by_a_clock_that_was_ahead_in_an_earlier_run(trio: Trio) -> None:
    """Rows remember when something began: a day ahead of now it is not waited for till then."""
    trio.world.network.rule = lambda _letter: ()
    trio.alice.clock.ahead = LIMITS.freshness
    trio.alice.do(CommandTransfer(trio.left, Wei(1)))
    trio.world.settle()
    view = trio.alice.node.books.channels[trio.left]
    (proposal,) = view.proposals
    late = replace(proposal, sent_at=UnixTime(trio.world.ledger.time + DAY))
    trio.alice.store.write([replace(view, proposals=(late,))])
    trio.world.network.rule = None
    trio.alice.clock.ahead = 0
    trio.alice.restart()
    trio.world.advance()
    assert version(trio.alice, trio.left) == 2


def test_duties_do_not_wait_for_a_fresh_view(pair: Pair) -> None:
    """If it is our own clock that is wrong, the chain must hear from us all the same."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0, life=2_000)
    pair.alice.do(CommandPay(machine, Wei(200)))
    pair.world.settle()
    pair.bob.clock.ahead = -YEAR
    pair.world.network.rule = lambda _letter: ()
    before = len(pair.world.ledger.log)
    pair.world.advance(2_000 - LIMITS.margin)
    pair.world.advance()
    assert len(pair.world.ledger.log) == before + 1
    pair.bob.do(CommandDispute(pair.channel))
    pair.world.advance()
    assert pair.world.ledger.channels[pair.channel].dispute is not None


def test_old_blocks_told_in_turn_are_not_fresh(pair: Pair) -> None:
    """Two replicas stand still and show one each, and our clock shows their time."""
    now, number = pair.alice.ledger.time, pair.alice.ledger.number + 1
    clock = pair.alice.node.books.chain.clock
    for count in range(LIMITS.freshness + 3):
        turn = count % 2
        pair.alice.node.post(
            [
                Tick(UnixTime(clock + count), now),
                ChainBlock(number + turn, UnixTime(now + turn), number, now),
            ]
        )
        pair.alice.node.turn()
    with pytest.raises(NotAllowedNow, match="no newer block"):
        pair.alice.do(CommandTransfer(pair.channel, Wei(1)))


def test_block_that_came_by_a_wrong_clock_outshines_none_to_come(pair: Pair) -> None:
    pair.alice.clock.ahead = YEAR
    tell_block(pair.alice, YEAR)
    pair.alice.clock.ahead = 0
    pair.world.advance()
    pair.alice.do(CommandTransfer(pair.channel, Wei(1)))


def test_removal_at_shift_zero_is_not_countersigned_for_a_final_block_a_year_ahead(
    pair: Pair,
) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 0)
    pair.alice.do(CommandPay(machine, Wei(200)))
    pair.world.settle()
    for party in (pair.alice, pair.bob):
        now, number = party.ledger.time, party.ledger.number + 1
        party.node.post([ChainBlock(number, now, number, UnixTime(now + YEAR))])
        party.node.turn()
    assert pair.bob.node.books.chain.final_time == pair.bob.ledger.time
    assert pair.bob.node.books.totals[machine].received == 200
