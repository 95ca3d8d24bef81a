"""Solidity's ABI, as far as contracts need it: integers, bool, address, bytes, text, lists, tuples.

The same few lines in every host; a test compares them with eth_abi. Addresses are 20 raw bytes.
Padding must be what the specification says: other bytes are another value's encoding.
Source: Solidity documentation, Contract ABI Specification.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

__all__ = ["NoEncoding", "NotEncoded", "arguments_of", "decode_values", "encode_values"]

_WORD: Final = 32
_SIZED: Final = re.compile(r"(uint|int|bytes)(\d+)")
_LIST: Final = re.compile(r"(.+)\[(\d*)\]")


class NotEncoded(ValueError):
    """Bytes that hold no value of a type."""


class NoEncoding(ValueError):
    """A value that is none of its type."""


class _Codec(NamedTuple):
    """How values of one type are written and read."""

    head: int
    """Bytes that it takes in its place: all of it, or 32 where something is only pointed to."""
    dynamic: bool
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], Any]
    """Of data, from a position on."""


def arguments_of(signature: str) -> tuple[str, ...]:
    """Types of a list in parentheses, such as `(address,(uint8,bool)[])`, or of a signature."""
    inner = signature[signature.index("(") + 1 : -1]
    found, depth, start = [], 0, 0
    for place, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(inner[start:place])
            start = place + 1
    return (*found, inner[start:]) if inner else ()


def encode_values(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Arguments one after the other; raises `NoEncoding`."""
    return _of_tuple(tuple(types)).encode(values)


def decode_values(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """What `encode_values` was given, tuples and lists as tuples; raises `NotEncoded`."""
    found: tuple[Any, ...] = _of_tuple(tuple(types)).decode(data, 0)
    return found


@cache
def _codec(kind: str) -> _Codec:
    listed = _LIST.fullmatch(kind)
    if listed:
        return _of_list(_codec(listed[1]), int(listed[2]) if listed[2] else None)
    if kind.startswith("("):
        return _of_tuple(arguments_of(kind))
    if kind in ("bytes", "string"):
        return _of_bytes(text=kind == "string")
    if kind == "bool":
        return _plain(_write_bool, _read_bool)
    if kind == "address":
        return _plain(lambda value: bytes(12) + _exactly(value, 20), _read_address)
    sized = _SIZED.fullmatch(kind)
    if sized is None:
        raise ValueError(f"no type of the ABI: {kind}")
    if sized[1] == "bytes":
        return _of_fixed(int(sized[2]))
    return _of_integer(int(sized[2]), signed=sized[1] == "int")


def _plain(encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]) -> _Codec:
    """A type of one word."""
    return _Codec(_WORD, False, encode, lambda data, at: decode(_cut(data, at, _WORD)))


def _cut(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise NotEncoded(f"{size} bytes expected at {at} of {len(data)}")
    return data[at : at + size]


# ---------------------------------------------------------------------------------- single words


def _of_integer(bits: int, *, signed: bool) -> _Codec:
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)

    def encode(value: Any) -> bytes:
        if type(value) is bool or not isinstance(value, int) or not least <= value < most:
            raise NoEncoding(f"{value!r} is no {'int' if signed else 'uint'}{bits}")
        return value.to_bytes(_WORD, "big", signed=signed)

    def decode(word: bytes) -> int:
        value = int.from_bytes(word, "big", signed=signed)
        if not least <= value < most:
            raise NotEncoded(f"{value} has more than {bits} bits")
        return value

    return _plain(encode, decode)


def _write_bool(value: Any) -> bytes:
    if type(value) is not bool:
        raise NoEncoding(f"{value!r} is no bool")
    return value.to_bytes(_WORD, "big")


def _read_bool(word: bytes) -> bool:
    if word[:-1] != bytes(31) or word[31] > 1:
        raise NotEncoded("neither true nor false")
    return word[31] == 1


def _read_address(word: bytes) -> bytes:
    if word[:12] != bytes(12):
        raise NotEncoded("an address of more than 20 bytes")
    return word[12:]


def _exactly(value: Any, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise NoEncoding(f"{value!r} is not {size} bytes")
    return bytes(value)


def _of_fixed(size: int) -> _Codec:
    padding = bytes(_WORD - size)

    def decode(word: bytes) -> bytes:
        if word[size:] != padding:
            raise NotEncoded(f"more than {size} bytes")
        return word[:size]

    return _plain(lambda value: _exactly(value, size) + padding, decode)


# ---------------------------------------------------------------------------------- of any length


def _of_bytes(*, text: bool) -> _Codec:
    def encode(value: Any) -> bytes:
        if not isinstance(value, str if text else bytes):
            raise NoEncoding(f"{value!r} is no {'text' if text else 'bytes'}")
        body = value.encode() if isinstance(value, str) else bytes(value)
        return len(body).to_bytes(_WORD, "big") + body + bytes(-len(body) % _WORD)

    def decode(data: bytes, at: int) -> Any:
        size = int.from_bytes(_cut(data, at, _WORD), "big")
        body = _cut(data, at + _WORD, size + -size % _WORD)
        if any(body[size:]):
            raise NotEncoded("bytes behind the last one")
        return body[:size].decode() if text else body[:size]

    return _Codec(_WORD, True, encode, decode)


def _of_list(item: _Codec, count: int | None) -> _Codec:
    def encode(value: Any) -> bytes:
        if not isinstance(value, (list, tuple)) or count not in (None, len(value)):
            raise NoEncoding(f"{value!r} is no list of {'any' if count is None else count} items")
        body = _encode_all([item] * len(value), value)
        return body if count is not None else len(value).to_bytes(_WORD, "big") + body

    def decode(data: bytes, at: int) -> Any:
        size = count
        if size is None:
            size, at = int.from_bytes(_cut(data, at, _WORD), "big"), at + _WORD
        if size * item.head > len(data) - at:
            raise NotEncoded(f"{size} items in {len(data) - at} bytes")
        return _decode_all([item] * size, data, at)

    dynamic = count is None or item.dynamic
    return _Codec(_WORD if dynamic else item.head * (count or 0), dynamic, encode, decode)


@cache
def _of_tuple(types: tuple[str, ...]) -> _Codec:
    items = [_codec(kind) for kind in types]

    def encode(value: Any) -> bytes:
        if not isinstance(value, (list, tuple)) or len(value) != len(items):
            raise NoEncoding(f"{value!r} is not {len(items)} values")
        return _encode_all(items, value)

    dynamic = any(item.dynamic for item in items)
    head = _WORD if dynamic else sum(item.head for item in items)
    return _Codec(head, dynamic, encode, lambda data, at: _decode_all(items, data, at))


def _encode_all(items: Sequence[_Codec], values: Sequence[Any]) -> bytes:
    """Heads, then the tails that they point to."""
    heads, tails, at = [], [], sum(item.head for item in items)
    for item, value in zip(items, values, strict=True):
        body = item.encode(value)
        if item.dynamic:
            heads.append(at.to_bytes(_WORD, "big"))
            tails.append(body)
            at += len(body)
        else:
            heads.append(body)
    return b"".join(heads + tails)


def _decode_all(items: Sequence[_Codec], data: bytes, start: int) -> tuple[Any, ...]:
    found, at = [], start
    for item in items:
        place = at
        if item.dynamic:
            place = start + int.from_bytes(_cut(data, at, _WORD), "big")
        found.append(item.decode(data, place))
        at += item.head
    return tuple(found)
