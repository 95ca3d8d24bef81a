"""Constructor arguments from JSON, typed by the ABI."""

from __future__ import annotations

from typing import Any

import pytest

from populus.arguments import parse_option, typed_arguments, used_contracts
from populus.exceptions import DeploymentError

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def contract(*inputs: str | dict[str, Any]) -> dict[str, Any]:
    named = [
        item if isinstance(item, dict) else {"name": f"p{index}", "type": item}
        for index, item in enumerate(inputs)
    ]
    return {"name": "C", "abi": [{"type": "constructor", "inputs": named}]}


def refuse(name: str) -> str:
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("uint256", 7, 7),
        ("uint256", "0x10", 16),
        ("uint256", str(10**30), 10**30),
        ("int8", -128, -128),
        ("bool", True, True),
        ("bool", "false", False),
        ("string", "7", "7"),
        ("address", ADDRESS.lower(), ADDRESS),
        ("bytes", "0x0102", b"\x01\x02"),
        ("bytes4", "0x01020304", b"\x01\x02\x03\x04"),
        ("uint8[]", [1, "2"], [1, 2]),
        ("uint8[2][]", [[1, 2]], [[1, 2]]),
    ],
)
def test_values_become_what_the_abi_wants(kind: str, given: Any, expected: Any) -> None:
    assert typed_arguments(contract(kind), [given], refuse) == [expected]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("uint8", 256),
        ("uint256", -1),
        ("int8", 128),
        ("uint256", True),
        ("uint256", 1.5),
        ("uint256", "ten"),
        ("bool", 1),
        ("string", 7),
        ("address", "0x12"),
        ("bytes4", "0x0102"),
        ("bytes", "0102"),
        ("uint8[2]", [1]),
        ("uint8[]", 1),
    ],
)
def test_values_that_cannot_be_meant_are_refused(kind: str, given: Any) -> None:
    with pytest.raises(DeploymentError, match=r"C, p0: .* is no "):
        typed_arguments(contract(kind), [given], refuse)


def test_structs_are_lists_or_objects() -> None:
    parts = [{"name": "a", "type": "uint8"}, {"name": "b", "type": "bool"}]
    data = contract({"name": "s", "type": "tuple[]", "components": parts})
    given = [[[1, True], {"b": False, "a": 2}]]
    assert typed_arguments(data, given, refuse) == [[(1, True), (2, False)]]


def test_arguments_may_be_named() -> None:
    assert typed_arguments(contract("uint8", "bool"), {"p1": True, "p0": 3}, refuse) == [3, True]
    with pytest.raises(DeploymentError, match=r"takes \(uint8 p0, bool p1\)"):
        typed_arguments(contract("uint8", "bool"), {"p1": True}, refuse)


@pytest.mark.parametrize("given", [None, [], [1, 2, 3], "x"])
def test_a_wrong_number_is_told_with_the_right_one(given: Any) -> None:
    with pytest.raises(DeploymentError, match=r"C takes 2 arguments \(uint8 p0, bool p1\)"):
        typed_arguments(contract("uint8", "bool"), given, refuse)


def test_a_contract_stands_for_its_address() -> None:
    data = contract("address", "string")
    given = ["Math", "Math"]
    assert used_contracts(data, given, ["Math"]) == ["Math"]
    assert typed_arguments(data, given, lambda _: ADDRESS, ["Math"]) == [ADDRESS, "Math"]


def test_options_are_name_and_json() -> None:
    assert parse_option('Token=["a=b", 1]') == ("Token", ["a=b", 1])
    for text in ("Token", "Token=7", "Token=[1"):
        with pytest.raises(DeploymentError, match="NAME=JSON"):
            parse_option(text)
