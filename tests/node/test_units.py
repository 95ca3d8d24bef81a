"""Text to wei and back, exactly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.errors import AmountOutOfRange, BadUnits, NotAnAmount
from perun.types import MAX_AMOUNT
from perun.units import format_ether, format_units, parse_ether, parse_units


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("1", 10**18),
        ("0.25", 25 * 10**16),
        ("0.000000000000000001", 1),
        ("007.50", 75 * 10**17),
        ("1.", 10**18),
        ("2596148429267413.814265248164610047", MAX_AMOUNT),
    ],
)
def test_parse_ether(text: str, wei: int) -> None:
    assert parse_ether(text) == wei


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ".5", "-1", "+1", "1e18", " 1", "1 ", "1,5", "1_000", "0x1", "nan", "١", "1\n"),
        *("0.0000000000000000001", "1" * 1001),
        *(1, 1.0, True, None, math.nan, b"1"),
    ],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(BadUnits):
        parse_ether(text)


def test_more_than_the_contracts_take_is_refused() -> None:
    with pytest.raises(AmountOutOfRange):
        parse_ether("2596148429267413.814265248164610048")


@pytest.mark.parametrize("value", [True, 1.0, "5", math.nan, None])
def test_format_takes_integers_only(value: int) -> None:
    with pytest.raises(NotAnAmount):
        format_ether(value)


def test_format_ether() -> None:
    assert [format_ether(wei) for wei in (0, 1, 10**18, -25 * 10**16)] == [
        "0",
        "0.000000000000000001",
        "1",
        "-0.25",
    ]


@given(st.integers(0, MAX_AMOUNT), st.integers(0, 30))
def test_what_is_shown_can_be_read(amount: int, decimals: int) -> None:
    assert parse_units(format_units(amount, decimals), decimals) == amount
