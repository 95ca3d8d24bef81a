"""Reads structs, functions and events out of `docs/protocol.md`, for comparing with ABIs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"

# The page's short names of signatures.
_SHORT = {"s": "signature"}
_SIDES = {"sA": "signatureAlice", "sB": "signatureBob", "sigAlice": "signatureAlice"}
_NAMES = {**_SHORT, **_SIDES, "sigBob": "signatureBob"}


@dataclass(frozen=True, slots=True)
class Function:
    """`(type, name)` of inputs and outputs; None where the page does not say."""

    inputs: tuple[tuple[str, str], ...]
    mutability: str
    outputs: tuple[tuple[str, str], ...] | None


def section(number: int) -> str:
    """The text of a section."""
    parts = re.split(r"^## (\d+)\. .*$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[str(number)]


def structs(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """`Name { type field; … }`, with or without marks around it."""
    pattern = r"(\w+)[\s*`]+\{ ([A-Za-z][^{}]*;[^{}]*?) \}"
    found = {}
    for name, fields in re.findall(pattern, text):
        parts = re.split(r"\s*;\s*", fields)
        found[name] = tuple(tuple(part.split()) for part in parts)
    return found


def functions(text: str) -> dict[str, Function]:
    """`name(inputs) mutability → (outputs)`; inputs are types with names, or the type alone."""
    pattern = r"(\w+)\(([^()]*)\)( payable| view)?(?: → \(([^()]*)\))?"
    found = {}
    for name, inputs, mutability, outputs in re.findall(pattern, text):
        found[name] = Function(
            tuple(_variable(item) for item in _items(inputs)),
            mutability.strip() or "nonpayable",
            tuple(_variable(item) for item in _items(outputs)) if outputs else None,
        )
    return found


def events(text: str) -> dict[str, tuple[str, ...]]:
    """`Name(argument, …)`, names only; `[]` and an adjective's noun are for readers."""
    found = re.findall(r"(\w+)\(([^()]*)\)", text)
    return {
        name: tuple(item.split()[0].rstrip("[]") for item in _items(args)) for name, args in found
    }


def _items(text: str) -> list[str]:
    return [item for item in text.split(", ") if item]


def _variable(item: str) -> tuple[str, str]:
    words = item.split()
    if len(words) == 2:
        return words[0], _NAMES.get(words[1], words[1])
    name = words[0].removesuffix("[]")
    lower = name[0].lower() + name[1:]
    return words[0], lower + "s" if words[0].endswith("[]") else lower


def abi_functions(abi: Iterable[Mapping[str, Any]]) -> dict[str, Function]:
    """The same from an ABI; structs by their names."""
    return {
        entry["name"]: Function(
            _variables(entry["inputs"]), entry["stateMutability"], _variables(entry["outputs"])
        )
        for entry in abi
        if entry["type"] == "function"
    }


def abi_events(abi: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Names of arguments by name of event."""
    return {
        entry["name"]: tuple(item["name"] for item in entry["inputs"])
        for entry in abi
        if entry["type"] == "event"
    }


def abi_structs(abi: Iterable[Mapping[str, Any]]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Every struct that an ABI names."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}

    def visit(items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            if "components" in item:
                name = _type(item).removesuffix("[]")
                found[name] = _variables(item["components"])
                visit(item["components"])

    for entry in abi:
        visit(entry.get("inputs", []))
    return found


def _variables(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((_type(item), item["name"]) for item in items)


def _type(item: Mapping[str, Any]) -> str:
    return str(item.get("internalType", item["type"])).removeprefix("struct ")
