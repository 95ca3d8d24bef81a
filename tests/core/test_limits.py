"""The table of limits, and the arithmetic of money."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.core.config import HubPolicy
from perun.core.hub.policy import fee_for
from perun.core.limits import LIMITS, Limits, UnsafeLimits, limits_for
from perun.core.rules.accounting import clamp_to_locks, free_money, solvent
from perun.core.state import Role
from perun.types import (
    MAX_AMOUNT,
    Address,
    ChainId,
    ChannelId,
    InstanceId,
    Machine,
    Nano,
    Salt,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)

amounts = st.integers(0, MAX_AMOUNT).map(Wei)


def nano(alice: int, bob: int, swapped: bool = False) -> Nano:
    id = InstanceId(b"\x01" * 32)
    return Nano(Address(b"\x01" * 20), id, Wei(alice), Wei(bob), UnixTime(9), swapped)


@pytest.mark.parametrize("chain", LIMITS)
def test_every_chains_limits_leave_time_to_answer(chain: ChainId) -> None:
    limits = limits_for(chain)
    reach = limits.freshness + 2 * limits.margin

    assert 2 * reach < min(limits.least_challenge, limits.least_machine_challenge)
    assert limits.patience < limits.margin


def test_limits_without_time_to_answer_cannot_be_made() -> None:
    with pytest.raises(UnsafeLimits):
        Limits(margin=Seconds(3_000), least_machine_challenge=Seconds(7_200))


def test_unknown_chain_gets_the_careful_limits() -> None:
    assert limits_for(ChainId(424242)).least_challenge == 86_400


@pytest.mark.parametrize(
    ("shift", "swapped", "moved"), [(7, False, 7), (7, True, -7), (99, False, 10), (-99, True, 10)]
)
def test_b4_swap_comes_before_the_clamp(shift: int, swapped: bool, moved: int) -> None:
    assert clamp_to_locks(nano(10, 10, swapped), shift) == moved


@given(amounts, amounts, st.integers(-MAX_AMOUNT, MAX_AMOUNT), st.booleans())
def test_no_shift_moves_more_than_a_lock(a: Wei, b: Wei, shift: int, swapped: bool) -> None:
    assert -b <= clamp_to_locks(nano(a, b, swapped), shift) <= a


@given(amounts, amounts, st.integers(-MAX_AMOUNT, MAX_AMOUNT), amounts, amounts)
def test_free_money_and_locks_are_all_there_is(a: Wei, b: Wei, net: int, x: Wei, y: Wei) -> None:
    nanos = (nano(x, y),)
    free = [free_money((a, b), net, nanos, role) for role in Role]

    assert sum(free) + x + y == a + b
    state = State(ChannelId(bytes(32)), Version(2), Wei(net), nanos)
    assert solvent((a, b), state) is (min(free) >= 0)


def test_fee_is_base_and_amount_and_amount_times_time_rounded_up() -> None:
    policy = HubPolicy(amount_ppm=100, amount_day_ppm=1_000)
    key = Address(b"\x01" * 20)
    terms = Machine(
        key, key, Wei(90_001), Wei(0), UnixTime(86_400), Seconds(86_400), Salt(bytes(32))
    )

    # 9.0001 of the amount, and two days at 90.001 each.
    assert fee_for(policy, Wei(5), terms, UnixTime(0), UnixTime(2 * 86_400)) == 5 + 10 + 181
