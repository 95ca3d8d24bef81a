"""Solidity ABI coding with this package's types: records in, raw 20-byte addresses out.

Functions, events and errors are named by their signature, such as `claim(address,uint256,address)`;
a test compares every signature here with the compiler's ABI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from perun.crypto.hashing import keccak
from perun.encoding.abi import (
    NoEncoding,
    NotEncoded,
    arguments_of,
    decode_values,
    encode_values,
)
from perun.errors import ChainFault, Misuse
from perun.types import Record

CHANNEL = "(address,address,address,address,address,uint32,uint64)"
NANO = "(address,bytes32,uint112,uint112,uint40,bool)"
SETTLEMENT = f"({CHANNEL},int112,{NANO}[])"


class BadAnswer(ChainFault):
    """A node answered with bytes that are not what the function or event returns.

    There is no contract at the address, or another one, or the node is broken.
    """

    hint = "check the address and the chain; perun.load compares the code at every address"


@dataclass(eq=False)
class BadArguments(Misuse):
    """A value given to a function of a contract is not of the type that it takes."""

    signature: str
    reason: str

    template: ClassVar[str] = "{signature}: {reason}"
    hint: ClassVar[str] = "addresses are 20 and ids 32 raw bytes, lists are lists of records"


@cache
def _parts(signature: str) -> tuple[bytes, tuple[str, ...]]:
    """Hash and argument types of a signature."""
    return keccak(signature.encode()), arguments_of(signature)


def selector(signature: str) -> bytes:
    """First 4 bytes of calls of a function, and of the data of an error."""
    return _parts(signature)[0][:4]


def topic(signature: str) -> bytes:
    """First topic of an event's logs, 32 bytes."""
    return _parts(signature)[0]


def plain(value: Any) -> Any:
    """A record as a tuple of its fields, however deep; lists of records likewise."""
    if isinstance(value, Record):
        return tuple(plain(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def encode_call(signature: str, *values: Any) -> bytes:
    """Call data: selector and arguments.

    Raises:
        BadArguments: a value is not of the type that the function takes.
    """
    hashed, types = _parts(signature)
    try:
        return hashed[:4] + encode_values(types, [plain(value) for value in values])
    except NoEncoding as error:
        raise BadArguments(signature, str(error)) from error


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Values of returned or logged data.

    Raises:
        BadAnswer: the bytes do not hold these types.
    """
    try:
        return decode_values(types, data)
    except NotEncoded as error:
        raise BadAnswer from error


def decode_arguments(signature: str, data: bytes) -> tuple[Any, ...]:
    """Values of an error's data, its selector cut off.

    Raises:
        BadAnswer: the bytes do not hold the error's types.
    """
    return decode(_parts(signature)[1], data)
