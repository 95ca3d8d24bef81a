"""The simulation of a mass exit: the rules it goes by, and the page that shows its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mass_exit import GWEI, Market, answers, bribe, ends, flood, next_base_fee, table
from perun.chain.fees import FeePolicy
from perun.types import Wei

PAGE = Path(__file__).parents[3] / "docs" / "economics.md"


@pytest.mark.parametrize(
    ("used", "after"), [(60_000_000, 1_125), (30_000_000, 1_000), (0, 875), (45_000_000, 1_062)]
)
def test_base_fee_moves_by_an_eighth_at_most(used: int, after: int) -> None:
    assert next_base_fee(1_000, used, 60_000_000) == after


def test_without_us_a_block_is_half_full_and_the_base_fee_stays() -> None:
    market = Market(base_fee=Wei(20 * GWEI))
    wanted = sum(gas for _, gas in market.others(market.base_fee))
    assert next_base_fee(market.base_fee, wanted, market.gas_limit) == market.base_fee


def test_page_shows_what_is_simulated() -> None:
    assert table() in PAGE.read_text()


def test_ten_thousand_answers_need_no_more_than_an_hours_challenge() -> None:
    for gwei in (1, 20, 100):
        assert answers(10_000, Market(base_fee=Wei(gwei * GWEI)), challenge=3_600).too_late == 0


def test_a_hub_that_follows_the_base_fee_pays_nearly_three_times_as_much() -> None:
    market = Market(base_fee=Wei(20 * GWEI))
    hasty = answers(10_000, market, policy=FeePolicy(calm=10**6))
    calm = answers(10_000, market)
    assert calm.too_late == hasty.too_late == 0
    assert calm.paid * 5 < hasty.paid * 2


def test_more_ends_than_blocks_have_room_for_come_too_late() -> None:
    market = Market(base_fee=Wei(20 * GWEI))
    assert ends(30_000, market).too_late == 0
    assert ends(50_000, market).too_late > 0


def test_page_says_what_bribes_and_floods_cost() -> None:
    text = PAGE.read_text()
    for challenge, eth in ((3_600, "1.9"), (86_400, "78"), (7 * 86_400, "557")):
        assert f"{bribe(challenge) / 10**18:.{len(eth.partition('.')[2])}f}" == eth
        assert eth in text
    for seconds, sum_ in ((600, 2_000), (3_600, 9_500), (43_200, 108_500)):
        assert round(flood(Wei(1_000 * GWEI), seconds) / 10**18, -1) == sum_
        assert f"{sum_:,}" in text
