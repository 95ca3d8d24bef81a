"""A record that exists is in range; anything else is a typed error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from perun.errors import (
    AmountOutOfRange,
    Misuse,
    NotAnAmount,
    OutOfRange,
    WrongLength,
    WrongType,
)
from perun.types import (
    ETH,
    MAX_AMOUNT,
    Channel,
    Close,
    Lock,
    Machine,
    Nano,
    Open,
    Ready,
    Record,
    Settlement,
    State,
    Statement,
    Withdraw,
)

# Untyped, so that the records below read as lists of values.
ADDRESS: Any = bytes(range(20))
ID: Any = bytes(range(32))
CHANNEL = Channel(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ETH, 60, 1)
NANO = Nano(ADDRESS, ID, 1, 2, 3, False)
RECORDS: list[Record] = [
    CHANNEL,
    NANO,
    Machine(ADDRESS, ADDRESS, 1, 2, 3, 4, ID),
    Lock(1, True, ID, 3, ID),
    Settlement(CHANNEL, -5, (NANO,)),
    State(ID, 1, -5, (NANO,)),
    Close(ID, -5, 1, 3),
    Withdraw(ID, 0, 1, 2, 3),
    Open(ID, 1, 2, 3),
    Statement(ID, 5),
    Ready(ID),
]
AMOUNTS = {"alice_lock", "bob_lock", "amount", "alice_amount", "bob_amount", "paid"}
WIDTHS = {
    "challenge": 32,
    "nonce": 64,
    "expiry": 40,
    "validity": 40,
    "deadline": 40,
    "valid_until": 40,
    "version": 48,
    "index": 32,
    "to_credit": 8,
}
FIELDS = [(record, name) for record in RECORDS for name in record.__struct_fields__]


def _names(fields: set[str] | dict[str, int]) -> list[Any]:
    return [
        pytest.param(record, name, id=f"{type(record).__name__}.{name}")
        for record, name in FIELDS
        if name in fields
    ]


def _with(record: Record, name: str, value: object) -> Record:
    """A changed copy, checked as the first was; made from keywords, as a user would."""
    fields = {field: getattr(record, field) for field in record.__struct_fields__}
    return type(record)(**{**fields, name: value})


@pytest.mark.parametrize(("record", "name"), _names(AMOUNTS | {"net"}))
@pytest.mark.parametrize("value", [True, False, 1.0, math.nan, "5", None, b"5", 1 + 0j])
def test_what_is_no_integer_is_no_amount(record: Record, name: str, value: object) -> None:
    with pytest.raises(NotAnAmount) as caught:
        _with(record, name, value)
    assert caught.value.field == name
    assert caught.value.value is value


@pytest.mark.parametrize(("record", "name"), _names(AMOUNTS))
@pytest.mark.parametrize("value", [-1, 2**111, 2**112, 2**256])
def test_amounts_out_of_range(record: Record, name: str, value: int) -> None:
    with pytest.raises(AmountOutOfRange) as caught:
        _with(record, name, value)
    assert (caught.value.value, caught.value.greatest) == (value, MAX_AMOUNT)


@pytest.mark.parametrize(("record", "name"), _names({"net"}))
def test_net_goes_both_ways_and_no_further(record: Record, name: str) -> None:
    for value in (-MAX_AMOUNT, 0, MAX_AMOUNT):
        assert getattr(_with(record, name, value), name) == value
    for value in (-MAX_AMOUNT - 1, MAX_AMOUNT + 1):
        with pytest.raises(AmountOutOfRange):
            _with(record, name, value)


@pytest.mark.parametrize(("record", "name"), _names(AMOUNTS))
def test_the_greatest_amount_is_taken(record: Record, name: str) -> None:
    assert getattr(_with(record, name, MAX_AMOUNT), name) == 2**111 - 1


@pytest.mark.parametrize(("record", "name"), _names(WIDTHS))
def test_other_integers_fit_their_width(record: Record, name: str) -> None:
    most = 2 ** WIDTHS[name] - 1
    assert getattr(_with(record, name, most), name) == most
    for value in (-1, most + 1):
        with pytest.raises(OutOfRange):
            _with(record, name, value)
    for strange in (True, 1.0, "1", None):
        with pytest.raises(WrongType):
            _with(record, name, strange)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        pytest.param(record, name, id=f"{type(record).__name__}.{name}")
        for record, name in FIELDS
        if isinstance(getattr(record, name), bytes)
    ],
)
def test_addresses_and_ids_have_their_length(record: Record, name: str) -> None:
    right = getattr(record, name)
    for wrong in (right + b"\0", right[:-1], b""):
        with pytest.raises(WrongLength):
            _with(record, name, wrong)
    for strange in ("0x" + right.hex(), None, 5, bytearray(right)):
        with pytest.raises(WrongType):
            _with(record, name, strange)


@pytest.mark.parametrize(("record", "name"), _names({"swapped", "bob_pays"}))
def test_truth_values_are_exactly_that(record: Record, name: str) -> None:
    for strange in (0, 1, "true", None):
        with pytest.raises(WrongType):
            _with(record, name, strange)


@pytest.mark.parametrize(("record", "name"), _names({"nanos", "channel"}))
@pytest.mark.parametrize("value", [None, [NANO], (ID,), NANO])
def test_lists_hold_records(record: Record, name: str, value: object) -> None:
    with pytest.raises(Misuse):
        _with(record, name, value)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_values(record: Record) -> None:
    same = msgspec.structs.replace(record)
    assert same == record
    assert hash(same) == hash(record)
    name = record.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(record, name, getattr(record, name))


@pytest.mark.parametrize(
    "make",
    [
        lambda record: msgspec.structs.replace(record, paid=2**111),
        lambda record: msgspec.convert({"machine": record.machine, "paid": -1}, Statement),
    ],
    ids=["replace", "convert"],
)
def test_copies_and_parsed_records_are_checked_too(make: Callable[[Any], Any]) -> None:
    with pytest.raises((AmountOutOfRange, msgspec.ValidationError)):
        make(Statement(ID, 5))


def test_repr_shows_hex() -> None:
    assert repr(Ready(ID)) == f"Ready(machine=0x{ID.hex()})"
    assert f"nanos=(Nano(app=0x{ADDRESS.hex()}," in repr(RECORDS[5])
