"""Every function, event, struct and error here is the compiler's, and none is left out."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from importlib import import_module, resources
from typing import Any, get_args

import pytest
from eth_utils.abi import collapse_if_tuple

from perun.bindings import (
    abi,
    erc20,
    events,
    lib_signatures,
    ms_contract_calls,
    nanocontract,
    reverts,
)
from perun.bindings.artifacts import artifact
from perun.bindings.logs import Table
from perun.bindings.suite import SUITE
from perun.types import Channel, Gated, Nano, Path, Position, Record, Settlement, Terms
from populus.project import Project

GAMES = ("IRules",)
"""Its errors are known; rules are asked by TurnGame alone."""
NANOCONTRACTS = {
    name: front for name, front in SUITE.items() if issubclass(front, nanocontract.Nanocontract)
}
CONTRACTS = ("LibSignatures", "MSContract", *NANOCONTRACTS)
# A path in full is for its parties; the contract has what follows from it, `Path`.
ON_CHAIN = [terms for terms in get_args(Terms) if terms is not Gated]
STRUCTS: dict[str, type[Record]] = {
    kind.__name__: kind for kind in (Channel, Nano, Settlement, Position, Path, *ON_CHAIN)
}
MODULES = {
    "LibSignatures": (lib_signatures,),
    "MSContract": (ms_contract_calls,),
    **{
        name: (import_module(front.__module__), nanocontract)
        for name, front in NANOCONTRACTS.items()
    },
    "StandardToken": (erc20,),
}
TABLES = {
    "LibSignatures": Table(),
    "MSContract": events.MS_CONTRACT,
    **{name: front.table for name, front in NANOCONTRACTS.items()},
    "StandardToken": events.ERC20,
}
TUPLES = (abi, *(module for modules in MODULES.values() for module in modules))
"""Where a record's fields stand as a tuple."""
# ERC-20 names these differently; `from` is a word of Python.
RENAMED = {"from": "sender", "value": "amount"}
EVENTS = {"Revealed(bytes32,bool,bytes32,uint40)": "FlipRevealed"}
ALIASES = {"AmountTooLarge(uint256)": "LockAmountTooLarge"}


def snake(name: str) -> str:
    return re.sub("(?=[A-Z])", "_", name).lower()


@pytest.fixture(scope="module")
def abis(project: Project) -> dict[str, list[dict[str, Any]]]:
    folder = resources.files("perun").joinpath("artifacts")
    found = {
        name: json.loads(folder.joinpath(f"{name}.json").read_text())["abi"] for name in CONTRACTS
    }
    found["StandardToken"] = project.compiled_contract_data["StandardToken"]["abi"]
    return found


def entries(abi_: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in abi_:
        if entry["type"] == kind:
            types = ",".join(collapse_if_tuple(item) for item in entry["inputs"])
            yield f"{entry['name']}({types})", entry


@pytest.mark.parametrize("name", MODULES)
def test_functions(name: str, abis: dict[str, Any]) -> None:
    bound = {
        value
        for module in MODULES[name]
        for key, value in vars(module).items()
        if key.isupper() and isinstance(value, str) and "(" in value[1:]
    }
    declared = {signature for signature, _ in entries(abis[name], "function")}
    if name == "MSContract":
        bound.add(nanocontract.DOMAIN_SEPARATOR)
    assert bound == declared - {"mint(address,uint256)"}  # of the test token alone


@pytest.mark.parametrize("name", TABLES)
def test_events(name: str, abis: dict[str, Any]) -> None:
    declared = dict(entries(abis[name], "event"))
    bound = TABLES[name].signatures
    assert bound.keys() == declared.keys()
    for signature, entry in declared.items():
        kind, inputs = bound[signature], entry["inputs"]
        assert [collapse_if_tuple(item) for item in inputs if item["indexed"]] == [*kind.indexed]
        assert [collapse_if_tuple(item) for item in inputs if not item["indexed"]] == [*kind.plain]
        record: type[Record] = getattr(events, EVENTS.get(signature, entry["name"]))
        names = [RENAMED.get(item["name"], snake(item["name"])) for item in inputs]
        assert [*record.__struct_fields__] == names, signature


def test_errors(abis: dict[str, Any]) -> None:
    folder = resources.files("perun").joinpath("artifacts")
    games = [json.loads(folder.joinpath(f"{name}.json").read_text())["abi"] for name in GAMES]
    declared = {key: it for abi_ in [*abis.values(), *games] for key, it in entries(abi_, "error")}
    bound = {kind.signature: kind for kind in reverts.Reverted.__subclasses__() if kind.signature}
    of_solidity = {"Error(string)", "Panic(uint256)"}
    assert bound.keys() - of_solidity == declared.keys()
    for signature, entry in declared.items():
        kind = bound[signature]
        assert kind.__name__ == ALIASES.get(signature, entry["name"])
        fields = [field.name for field in dataclasses.fields(kind) if not field.kw_only]
        assert fields == [snake(item["name"]) for item in entry["inputs"]], signature


def structs(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if item["type"].startswith("tuple"):
            yield item
            yield from structs(item["components"])


def test_structs(abis: dict[str, Any]) -> None:
    seen = set()
    for abi_ in abis.values():
        for entry in abi_:
            for item in structs([*entry.get("inputs", []), *entry.get("outputs", [])]):
                name = item["internalType"].rpartition(" ")[2].rpartition(".")[2].removesuffix("[]")
                record = STRUCTS[name]
                # A position's game is its id here, and its terms beside it there.
                fields = [name for name in record.__struct_fields__ if name != "game"]
                assert fields == [snake(c["name"]) for c in item["components"]]
                types = collapse_if_tuple(item).removesuffix("[]")
                assert types in [vars(module).get(name.upper()) for module in TUPLES]
                seen.add(name)
    assert seen == STRUCTS.keys()


@pytest.mark.parametrize("name", CONTRACTS)
def test_shipped_code_is_complete(name: str) -> None:
    folder = resources.files("perun").joinpath("artifacts")
    content = json.loads(folder.joinpath(f"{name}.json").read_text())
    assert content["linkReferences"] == content["deployedLinkReferences"] == []
    constructors = [entry for entry in content["abi"] if entry["type"] == "constructor"]
    assert all(entry["inputs"] == [] for entry in constructors)
    assert artifact(name).creation


def test_every_error_survives_its_own_encoding() -> None:
    samples = {"uint256": 7, "int256": -7, "int112": -7, "bytes32": bytes(range(32))}
    samples |= {"address": bytes(range(20)), "string": "why"}
    for kind in reverts.Reverted.__subclasses__():
        if not kind.signature:
            continue
        types = [item for item in kind.signature.partition("(")[2][:-1].split(",") if item]
        values = [samples[item] for item in types]
        data = abi.encode_call(kind.signature, *values)
        error = reverts.decode(data, b"\x01")
        assert type(error) is kind
        fields = [field.name for field in dataclasses.fields(kind) if not field.kw_only]
        assert [getattr(error, name) for name in fields] == values
        assert (error.data, error.transaction) == (data, b"\x01")
        assert str(error).startswith(kind.signature.partition("(")[0])
