"""What is bid for gas: no more than is saved by it, and the less the more time there is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.chain.fees import GWEI, FeePolicy, first_fees, higher_fees, most_now, usual_now
from perun.chain.reports import Sent, TooDear
from perun.chain.wishes import Wish
from perun.core.effects import Submit
from perun.core.limits import DEFAULT_LIMITS
from perun.types import Seconds, UnixTime, Wei
from tests.node.chain.conftest import ALICE, BOB, Site, Watcher

POLICY = FeePolicy()
DAY = Seconds(86_400)
USUAL = Wei(20 * GWEI)
MUCH = Wei(10**18)


def most(base: int, left: int | None = DAY, worth: int | None = None) -> float:
    """In gwei, where 20 gwei are usual."""
    price = None if worth is None else Wei(worth * GWEI)
    seconds = None if left is None else Seconds(left)
    return most_now(POLICY, Wei(base * GWEI), USUAL, seconds, price) / GWEI


def test_what_has_time_does_not_follow_the_base_fee() -> None:
    assert [most(base) for base in (20, 30)] == [1_000, 1_000]
    assert [most(base) for base in (31, 300, 5_000)] == [60, 60, 60]


def test_the_nearer_its_end_the_more_is_bid() -> None:
    bids = [most(300, left) for left in (DAY, 7_200, 3_600, 1_800, 1_201, 1_200, 0)]
    assert bids == sorted(bids)
    assert (bids[0], round(bids[2]), bids[-2]) == (60, 333, 1_000)


def test_what_is_about_to_be_lost_is_worth_what_it_saves() -> None:
    assert most(2_000, 600, worth=40_000) == 40_000
    assert most(2_000, 600, worth=700) == 700
    assert most(20, DAY, worth=30) == 30
    assert most(2_000, None, worth=None) == 1_000


def test_what_lies_though_gas_is_cheap_is_raised_as_ever() -> None:
    """Somebody keeps it out: he pays in each block what it would bring the builder."""
    fees, base = first_fees(POLICY, USUAL, GWEI), USUAL
    for _ in range(12):
        limit = most_now(POLICY, base, USUAL, DAY, None)
        raised = higher_fees(POLICY, fees, base, GWEI, limit)
        assert raised is not None
        assert raised.tip * 4 >= fees.tip * 5
        fees = raised


def test_builders_are_paid_no_more_than_the_greatest_price_whatever_is_at_stake() -> None:
    fees, limit = first_fees(POLICY, GWEI, GWEI), Wei(10**6 * GWEI)
    for _ in range(60):
        fees = higher_fees(POLICY, fees, GWEI, GWEI, limit) or fees
    assert fees.most > POLICY.greatest
    assert fees.tip == POLICY.greatest


def test_dear_gas_becomes_usual_within_hours() -> None:
    usual = USUAL
    for _ in range(2 * 3_600 // 12):
        usual = usual_now(POLICY, usual, Wei(100 * GWEI), 12)
    assert POLICY.calm * USUAL < 2 * 100 * GWEI
    assert POLICY.calm * usual > 100 * GWEI
    # A block from the far future counts once, and time that goes back not at all.
    assert usual_now(POLICY, USUAL, Wei(7), 2**40) == 7
    assert usual_now(POLICY, USUAL, Wei(7), -5) == USUAL


# ------------------------------------------------------------------------------------- in the port


def answer(site: Site, left: int, stake: Wei | None = MUCH) -> Submit:
    """Bob's, to a registration that ends in so many seconds."""
    return replace(site.register(2), before=site.later(left), stake=stake)


def disputed(site: Site, hurry: Seconds = POLICY.hurry) -> Watcher:
    site.open(ALICE, 100)
    site.act(ALICE, site.call(site.register(1)))
    watcher = site.watcher(BOB, policy=FeePolicy(hurry=hurry))
    watcher.port.watch(site.watch)
    watcher.poll()
    return watcher


def look(watcher: Watcher, times: int, at: UnixTime | None = None) -> int:
    """Blocks go by; the dearest bid so far, in gwei."""
    for _ in range(times):
        watcher.poll()
        watcher.site.chain.mine([], at=at)
    return int(max(sent.fees.most for sent in watcher.of(Sent)) // GWEI)


def test_answer_waits_while_gas_is_dear_and_comes_in_time(site: Site) -> None:
    watcher = disputed(site, hurry=Seconds(10))
    site.chain.base_fee = Wei(100 * GWEI)
    site.chain.mine([])
    watcher.port.submit(answer(site, 500))
    # By the greatest price and the time that is left: 1,000 gwei * 20 s / 500 s.
    assert look(watcher, 12) == 40
    assert look(watcher, 1, at=site.later(400)) == 40
    assert look(watcher, 4) >= 200
    site.chain.mine()
    assert not site.chain.pool


def test_who_is_in_a_hurry_behind_another_lifts_it(site: Site) -> None:
    watcher = disputed(site)
    site.chain.base_fee = Wei(100 * GWEI)
    site.chain.mine([])
    watcher.port.submit(answer(site, DAY))
    look(watcher, 1)
    watcher.port.submit(replace(answer(site, 600), key=b"another"))
    look(watcher, 3)
    first, *_ = watcher.of(Sent)
    again = [sent for sent in watcher.of(Sent) if sent.nonce == first.nonce]
    assert again[-1].fees.most > 200 * GWEI


def test_nothing_is_sent_that_costs_more_than_it_saves_and_it_is_said_once(site: Site) -> None:
    watcher = disputed(site)
    watcher.port.submit(answer(site, 600, stake=Wei(1_000)))
    for _ in range(5):
        watcher.poll()
        site.chain.mine()
    assert watcher.of(Sent) == []
    (told,) = watcher.of(TooDear)
    assert told.worth < told.base_fee == GWEI
    site.chain.base_fee = Wei(0)
    for _ in range(2):
        site.chain.mine()
        watcher.poll()
    assert len(watcher.of(Sent)) == 1


@pytest.mark.parametrize(("stake", "sent"), [(MUCH, True), (None, False)])
def test_near_its_end_it_is_bid_up_to_what_is_at_stake(
    site: Site, stake: Wei | None, sent: bool
) -> None:
    watcher = disputed(site)
    site.chain.base_fee = Wei(2_000 * GWEI)
    site.chain.mine([])
    watcher.port.submit(answer(site, DEFAULT_LIMITS.margin, stake))
    look(watcher, 2)
    site.chain.mine()
    assert (not site.chain.pool) is sent


def test_wish_in_a_journal_of_before_has_no_stake() -> None:
    assert Wish.__struct_fields__[-1] == "stake"
