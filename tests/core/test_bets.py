"""Bets on a price between two and over a hub: nobody loses more than the reporter has signed."""

from __future__ import annotations

import pytest

from perun.core.faults import InstanceRejected, NotAllowedNow
from perun.core.inputs import CommandDispute, Received
from perun.core.nanocontracts.price_bet import BETS, CommandPrice
from perun.core.state import LegStatus
from perun.core.states.valuation import balance
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.messages import ShowPrice
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.spec.nanocontracts.price_bet import PriceBet
from perun.testing.parties import Party, World
from perun.testing.stories import consent, propose_bet
from perun.types import Bet, Price, Signature, UnixTime, Wei

from .conftest import Pair, Trio
from .ends import only, seen, shares, silence, status, wait

REPORTER = SecretKey(b"\x6b" * 32)


def word(party: Party, price: int, key: SecretKey = REPORTER, later: int = 0) -> Signature:
    bet = seen(party).terms
    assert isinstance(bet, Bet)
    said = Price(bet.feed, UnixTime(bet.time + later), Wei(price))
    return sign(price_digest(PRICE_DOMAIN, said), key)


def bring(party: Party, price: int, **other: object) -> None:
    signature = word(party, price, **other)  # type: ignore[arg-type]
    party.do(CommandPrice(only(party), Wei(price), signature))


def begin(pair: Pair, own: int = 70, peer: int = 60, **more: object) -> None:
    propose_bet(pair.world, pair.alice, pair.channel, REPORTER.address, own, peer, **more)  # type: ignore[arg-type]
    pair.world.settle()
    consent(pair.bob)
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.LISTED


def begin_over(trio: Trio) -> None:
    propose_bet(trio.world, trio.alice, trio.left, REPORTER.address, 70, 60, trio.bob)
    trio.world.settle()
    consent(trio.bob)
    trio.world.settle()
    trio.world.advance()
    assert status(trio.alice) is status(trio.bob) is LegStatus.LISTED


def decided(world: World) -> tuple[bool, int] | None:
    records = list(world.ledger.contracts.of(PriceBet).records.values())
    return (records[0].void, records[0].shift) if records else None


@pytest.mark.parametrize(("price", "shift"), [(2_300, 30), (1_900, -10), (2_000, 0), (9_999, 70)])
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_price_goes_off_chain_whoever_brings_it(
    pair: Pair, price: int, shift: int, who: str
) -> None:
    begin(pair)
    bring(getattr(pair, who), price)
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.REMOVED
    assert seen(pair.alice).legs[0].removed_shift == shift


@pytest.mark.parametrize(("price", "shift"), [(2_300, 30), (1_000, -60), (2_000, 0)])
def test_price_over_a_hub_moves_the_same_in_both_channels(
    trio: Trio, price: int, shift: int
) -> None:
    begin_over(trio)
    bring(trio.bob, price)
    trio.world.settle()
    trio.world.advance()
    assert [leg.removed_shift for leg in seen(trio.ingrid).legs] == [shift, shift]
    assert status(trio.alice) is status(trio.bob) is LegStatus.REMOVED


@pytest.mark.parametrize(("own", "peer"), [(70, 60), (40, 60)])
def test_whole_lock_counts_as_lost_until_the_bet_is_gone(pair: Pair, own: int, peer: int) -> None:
    def sure(party: Party) -> int:
        books = party.node.books
        return balance(books, books.channels[pair.channel]).guaranteed

    before = [sure(party) for party in (pair.alice, pair.bob)]
    begin(pair, own, peer)
    after = [sure(party) for party in (pair.alice, pair.bob)]
    assert after == [before[0] - own, before[1] - peer]


def test_nobody_but_the_reporter_and_nothing_but_its_second_counts(pair: Pair) -> None:
    begin(pair)
    with pytest.raises(NotAllowedNow):
        bring(pair.bob, 2_300, key=SecretKey(b"\x01" * 32))
    with pytest.raises(NotAllowedNow):
        bring(pair.bob, 2_300, later=1)
    forged = ShowPrice(only(pair.alice), Wei(2_300), word(pair.bob, 2_301))
    pair.alice.do(Received(pair.bob.peer, forged))
    assert BETS.of(seen(pair.alice)).prices == ()


def test_bet_without_time_to_show_its_price_is_not_made(pair: Pair) -> None:
    with pytest.raises(InstanceRejected):
        begin(pair, wait=9_990)


def test_who_gains_shows_the_price_when_the_other_is_silent(pair: Pair) -> None:
    begin(pair)
    silence(pair.world)
    bring(pair.bob, 2_300)
    wait(pair.world, pair.alice, pair.bob)
    assert decided(pair.world) == (False, 30)


def test_in_a_dispute_the_price_pays(pair: Pair) -> None:
    begin(pair)
    silence(pair.world)
    bring(pair.bob, 2_300)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    assert shares(pair.world, pair.alice, pair.bob) == [970, 1_030]


def test_conflicting_prices_give_everything_back(pair: Pair) -> None:
    """Whoever pays by the one that is shown answers by another one that it holds."""
    begin(pair)
    silence(pair.world)
    bring(pair.bob, 2_300)
    bring(pair.alice, 2_200)
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    assert decided(pair.world) == (True, 0)
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]


def test_two_prices_off_chain_move_nothing_and_a_third_changes_nothing(pair: Pair) -> None:
    begin(pair)
    silence(pair.world)
    for price in (2_300, 2_309, 1_900, 2_600):  # the second moves what the first does
        bring(pair.bob, price)
    assert [held.price for held in BETS.of(seen(pair.bob)).prices] == [2_300, 1_900]


def test_absent_price_moves_nothing(pair: Pair) -> None:
    begin(pair)
    silence(pair.world)
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    assert decided(pair.world) is None
    assert shares(pair.world, pair.alice, pair.bob) == [1_000, 1_000]
