"""Constructor arguments from JSON or the command line, made what the ABI wants.

A name of another contract stands for its address; the deployment then puts that contract first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from eth_utils.address import is_address, to_checksum_address
from web3 import Web3

from populus.compiler import ContractData
from populus.exceptions import DeploymentError

__all__ = ["constructor_inputs", "parse_option", "typed_arguments", "used_contracts"]

_ARRAY = re.compile(r"(.*)\[(\d*)\]$")
_INTEGER = re.compile(r"u?int(\d*)$")
_CODEC = Web3().codec  # strict: four bytes are no bytes8
_TRUTHS = {"true": True, "false": False}


def parse_option(text: str) -> tuple[str, Any]:
    """`NAME=JSON` of `--args`: a list in order, or an object by parameter name."""
    name, separator, value = text.partition("=")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if not separator or not isinstance(parsed, list | dict):
        raise DeploymentError(
            f"--args {text!r} is not NAME=JSON.",
            """For example: --args 'Greeter=["Hello"]' or --args 'Greeter={"text": "Hello"}'.""",
        )
    return name, parsed


def constructor_inputs(data: ContractData) -> list[dict[str, Any]]:
    """The parameters of a contract's constructor, as its ABI declares them."""
    for entry in data["abi"]:
        if entry["type"] == "constructor":
            return list(entry["inputs"])
    return []


def used_contracts(data: ContractData, given: Any, names: Sequence[str]) -> list[str]:
    """Names of contracts that stand for addresses among the arguments."""
    found: list[str] = []

    def remember(name: str) -> str:
        found.append(name)
        return "0x" + 40 * "0"

    typed_arguments(data, given, remember, names)
    return found


def typed_arguments(
    data: ContractData, given: Any, address_of: Callable[[str], str], names: Sequence[str] = ()
) -> list[Any]:
    """The arguments in the order and of the types of the constructor.

    Raises:
        DeploymentError: wrong number or kind of arguments; the message names parameter and type.
    """
    return _components(
        constructor_inputs(data), given, str(data["name"]), lambda name: address_of(name), names
    )


def _components(
    inputs: Sequence[Mapping[str, Any]],
    given: Any,
    at: str,
    address_of: Callable[[str], str],
    names: Sequence[str],
) -> list[Any]:
    given = [] if given is None else given
    wanted = ", ".join(f"{item['type']} {item['name']}".strip() for item in inputs)
    if isinstance(given, Mapping):
        known = [item["name"] for item in inputs]
        if set(given) != set(known):
            raise DeploymentError(f"{at} takes ({wanted}); it was given {sorted(given)}.")
        given = [given[name] for name in known]
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != len(inputs):
        count = len(given) if isinstance(given, Sequence) and not isinstance(given, str) else 1
        raise DeploymentError(
            f"{at} takes {len(inputs)} arguments ({wanted}); it was given {count}.",
            "Set deployment.arguments in populus.json, or give --args NAME=JSON.",
        )
    return [
        _value(
            item["type"],
            item,
            value,
            f"{at}, {item['name'] or f'argument {index + 1}'}",
            address_of,
            names,
        )
        for index, (item, value) in enumerate(zip(inputs, given, strict=True))
    ]


def _value(
    kind: str,
    item: Mapping[str, Any],
    value: Any,
    at: str,
    address_of: Callable[[str], str],
    names: Sequence[str],
) -> Any:
    array = _ARRAY.match(kind)
    if array:
        inner, length = array.groups()
        if not isinstance(value, list) or (length and len(value) != int(length)):
            raise DeploymentError(f"{at}: {value!r} is no {kind}.")
        return [_value(inner, item, part, at, address_of, names) for part in value]
    if kind == "tuple":
        return tuple(_components(item["components"], value, at, address_of, names))
    if kind == "address" and value in names:
        return address_of(value)
    converted = _plain(kind, value)
    if converted is None:
        raise DeploymentError(f"{at}: {value!r} is no {kind}.")
    return converted


def _plain(kind: str, value: Any) -> Any:
    """A value of an elementary type, or None if it cannot be meant as one."""
    meant = _meant(kind, value)
    return meant if _CODEC.is_encodable(kind, meant) else None


def _meant(kind: str, value: Any) -> Any:
    """What a text stands for where the type is none: numbers, truths and bytes are written so."""
    if kind == "address":
        return to_checksum_address(value) if is_address(value) else None
    if not isinstance(value, str):
        return value
    if kind == "bool":
        return _TRUTHS.get(value.lower())
    if _INTEGER.match(kind):
        with suppress(ValueError):
            return int(value, 0)
    if kind.startswith("bytes") and value.startswith("0x"):
        with suppress(ValueError):
            return bytes.fromhex(value[2:])
    return value if kind == "string" else None
