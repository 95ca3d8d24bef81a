"""Our ABI coder against eth_abi: the same bytes, the same values, the same refusals."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from perun.bindings import abi
from perun.encoding.abi import (
    NoEncoding,
    NotEncoded,
    arguments_of,
    decode_values,
    encode_values,
)

PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "uint8": st.integers(0, 2**8 - 1),
    "uint112": st.integers(0, 2**112 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int112": st.integers(-(2**111), 2**111 - 1),
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes": st.binary(max_size=70),
    "string": st.text(max_size=40),
}


@st.composite
def typed(draw: st.DrawFn, depth: int = 3) -> tuple[str, Any]:
    """A type, and a value of it."""
    shape = (
        draw(st.sampled_from(("plain", "plain", "list", "fixed", "tuple"))) if depth else "plain"
    )
    if shape == "plain":
        kind = draw(st.sampled_from(sorted(PLAIN)))
        return kind, draw(PLAIN[kind])
    if shape == "tuple":
        items = draw(st.lists(typed(depth=depth - 1), min_size=1, max_size=3))
        return f"({','.join(kind for kind, _ in items)})", tuple(value for _, value in items)
    kind, value = draw(typed(depth=depth - 1))
    count = draw(st.integers(0 if shape == "list" else 1, 3))
    return f"{kind}[{count if shape == 'fixed' else ''}]", (value,) * count


@given(st.lists(typed(), max_size=3))
def test_bytes_and_values_are_those_of_eth_abi(items: list[tuple[str, Any]]) -> None:
    types, values = [kind for kind, _ in items], [value for _, value in items]
    data = encode_values(types, values)
    assert data == encode(types, values)
    assert decode_values(types, data) == tuple(values)


@given(typed(), st.data())
def test_damaged_bytes_are_taken_where_eth_abi_takes_them(
    item: tuple[str, Any], data: st.DataObject
) -> None:
    kind, value = item
    whole = bytearray(encode_values([kind], [value]))
    place = data.draw(st.integers(0, max(len(whole) - 1, 0)))
    if whole:
        whole[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(whole[: data.draw(st.integers(max(0, len(whole) - 40), len(whole)))])
    try:
        theirs: Any = encode([kind], decode([kind], cut))
    except (DecodingError, UnicodeDecodeError, OverflowError):
        theirs = None
    try:
        ours: Any = encode_values([kind], decode_values([kind], cut))
    except (NotEncoded, UnicodeDecodeError):
        ours = None
    assert ours == theirs


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("uint8", 256), ("uint8", -1), ("uint8", True), ("uint8", "1"), ("int112", 2**111)),
        *(("bool", 1), ("address", bytes(19)), ("address", "0x" + "00" * 20), ("bytes4", b"abc")),
        *(("bytes", "text"), ("string", b"bytes"), ("uint8[2]", (1,)), ("(uint8,bool)", (1,))),
    ],
)
def test_value_of_another_type_is_refused(kind: str, value: object) -> None:
    with pytest.raises(NoEncoding):
        encode_values([kind], [value])
    with pytest.raises(abi.BadArguments):
        abi.encode_call(f"f({kind})", value)


def test_a_list_that_claims_more_than_there_is_costs_nothing() -> None:
    claim = (32).to_bytes(32, "big") + (2**255).to_bytes(32, "big")
    with pytest.raises(NotEncoded, match="items"):
        decode_values(["uint256[]"], claim)


def test_types_of_a_signature() -> None:
    assert arguments_of("f(address,(uint8,bool[])[2],bytes)") == (
        "address",
        "(uint8,bool[])[2]",
        "bytes",
    )
    assert arguments_of("f()") == ()
