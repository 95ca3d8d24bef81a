"""A calldata word that does not fit its type is refused by every function, before anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from populus.exceptions import ContractReverted
from tests.support.contracts import Deployed
from tests.support.reverts import reverts_without_data
from tests.support.stage import Stage

MS_CONTRACT = (
    "open", "openBoth", "deposit", "close", "withdraw", "register", "settle", "fund", "claim",
    "channelId", "holdings", "dispute", "credit",
)  # fmt: skip
FUNCTIONS = [
    *(("ms", name) for name in MS_CONTRACT),
    ("vpm", "submitStatements"),
    ("vpm", "machineId"),
    ("locks", "reveal"),
    ("locks", "lockId"),
    ("signatures", "verify"),
]


def zero(item: Mapping[str, Any]) -> Any:
    """A value of the parameter's type with nothing in it."""
    kind = item["type"]
    if kind.endswith("[]"):
        return ()
    if kind == "tuple":
        return tuple(zero(part) for part in item["components"])
    if kind == "bytes":
        return b""
    return {"address": bytes(20), "bytes32": bytes(32), "bool": False}.get(kind, 0)


def bits(kind: str) -> int:
    """Width of a value type."""
    if kind == "address":
        return 160
    if kind == "bool":
        return 1
    found = re.fullmatch(r"u?int(\d+)", kind)
    return int(found[1]) if found else 256


def head(items: list[Mapping[str, Any]]) -> Iterator[str]:
    """The type of each word before the dynamic parts."""
    for item in items:
        if item["type"] == "tuple":
            yield from head(item["components"])
        else:
            yield item["type"]


def says_why(deployed: Deployed, data: bytes) -> bool:
    """Whether a call succeeds or fails with an error, unlike one that cannot be decoded."""
    try:
        deployed.ask_raw(data)
    except ContractReverted as error:
        return error.name != ""
    return True


@pytest.mark.parametrize(("contract", "function"), FUNCTIONS)
def test_every_narrow_word_is_checked(stage: Stage, contract: str, function: str) -> None:
    deployed: Deployed = getattr(stage, contract)
    (entry,) = [item for item in deployed.interface.abi if item.get("name") == function]
    clean = deployed.call_data(function, *(zero(item) for item in entry["inputs"]))
    assert says_why(deployed, clean)
    tried = 0
    for place, kind in enumerate(head(entry["inputs"])):
        width = bits(kind)
        if width == 256 or kind == "bytes" or kind.endswith("[]"):
            continue
        signed = kind.startswith("int")
        for value in ({1 << (width - 1)} if signed else set()) | {1 << width, 1 << 255, 2**width}:
            data = bytearray(clean)
            start = 4 + 32 * place
            data[start : start + 32] = value.to_bytes(32, "big")
            with reverts_without_data():
                deployed.ask_raw(bytes(data))
            tried += 1
    assert tried, "every function here has a narrow word"


def test_no_function_is_forgotten(stage: Stage) -> None:
    """Those with no narrow word in their head are named here."""
    without = {
        ("ms", "DOMAIN_SEPARATOR"), ("ms", "settleMany"), ("vpm", "DOMAIN_SEPARATOR"),
        ("vpm", "outcome"), ("vpm", "submit"), ("vpm", "totals"), ("locks", "DOMAIN_SEPARATOR"),
        ("locks", "outcome"), ("locks", "submit"), ("signatures", "recover"),
    }  # fmt: skip
    compiled = {
        (contract, entry["name"])
        for contract in ("ms", "vpm", "locks", "signatures")
        for entry in getattr(stage, contract).interface.abi
        if entry["type"] == "function"
    }
    assert compiled == without | set(FUNCTIONS)
