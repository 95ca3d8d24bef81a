"""Calls, events and errors between plain Python values and the bytes of the chain."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from eth_abi import decode, encode
from eth_utils import keccak

from populus.project import Project
from tests.games.stateful.evm import Log

ROOT = Path(__file__).parents[3]


overrides: dict[str, Mapping[str, Any]] = {}
"""Contracts to be used instead of the compiled ones: how the mutants get in."""


def artifacts() -> Mapping[str, Mapping[str, Any]]:
    """Contracts and test contracts by name, compiled with the project's settings."""
    return {**_compiled(), **overrides}


@lru_cache(maxsize=1)
def _compiled() -> Mapping[str, Mapping[str, Any]]:
    """Of another project than ours if the environment names one, as for pytest's fixtures."""
    project = Project(os.environ.get("PYTEST_POPULUS_PROJECT", ROOT))
    project.use_test_contracts()
    return project.compiled_contract_data


def plain(value: Any) -> Any:
    """Records and lists as tuples, so that both tellings compare equal."""
    if isinstance(value, msgspec.Struct):
        return tuple(plain(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return value


def _type(entry: Mapping[str, Any]) -> str:
    if entry["type"].startswith("tuple"):
        inner = ",".join(_type(component) for component in entry["components"])
        return f"({inner}){entry['type'][5:]}"
    return str(entry["type"])


def _types(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [_type(entry) for entry in entries]


def _raw(value: Any) -> Any:
    """eth_abi gives addresses as hex text; the model has bytes."""
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return bytes.fromhex(value[2:])
    if isinstance(value, (list, tuple)):
        return tuple(_raw(item) for item in value)
    return value


class Codec:
    """The ABI of one contract."""

    def __init__(self, abi: Sequence[Mapping[str, Any]]) -> None:
        self._functions: dict[str, tuple[bytes, list[str], list[str]]] = {}
        self._events: dict[bytes, tuple[str, list[tuple[bool, str]]]] = {}
        self.errors: dict[bytes, tuple[str, list[str]]] = {}
        for entry in abi:
            if entry["type"] not in ("function", "event", "error"):
                continue
            types = _types(entry["inputs"])
            signature = keccak(text=f"{entry['name']}({','.join(types)})")
            if entry["type"] == "function":
                self._functions[entry["name"]] = signature[:4], types, _types(entry["outputs"])
            elif entry["type"] == "event":
                indexed = [bool(item["indexed"]) for item in entry["inputs"]]
                fields = list(zip(indexed, types, strict=True))
                self._events[signature] = entry["name"], fields
            else:
                self.errors[signature[:4]] = entry["name"], types

    @property
    def functions(self) -> Iterable[str]:
        return self._functions

    def call(self, function: str, args: Sequence[Any]) -> bytes:
        selector, types, _ = self._functions[function]
        return selector + encode(types, [plain(arg) for arg in args])

    def returned(self, function: str, output: bytes) -> tuple[Any, ...]:
        return tuple(_raw(value) for value in decode(self._functions[function][2], output))

    def event(self, log: Log) -> tuple[str, tuple[Any, ...]]:
        name, fields = self._events[log.topics[0]]
        topics = iter(log.topics[1:])
        data = iter(decode([kind for indexed, kind in fields if not indexed], log.data))
        values = [
            decode([kind], next(topics))[0] if indexed else next(data) for indexed, kind in fields
        ]
        return name, tuple(_raw(value) for value in values)

    def error(self, output: bytes) -> tuple[str, tuple[Any, ...]]:
        """Name and arguments of a revert; ("", ()) for one that is not in this ABI."""
        known = self.errors.get(output[:4])
        if not known:
            return "", ()
        return known[0], tuple(_raw(value) for value in decode(known[1], output[4:]))
