"""MessagePack with great integers, and a reader that a hostile sender cannot exhaust.

Records are arrays. Integers beyond 64 bits, which MessagePack lacks, are extension 1: a sign byte
and the magnitude. `msgspec` writes and reads everything else; where it meets an extension, `unpack`
reads the bytes here, item by item and at most `DEPTH` arrays deep. `msgspec`'s own reader goes as
deep as the bytes do, so whoever reads those of strangers asks `perun.nesting` before.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perun.nesting import DEPTH

__all__ = ["pack", "unpack"]

_BIG_INT: Final = 1
# 112 bits and the sign; anything longer is out of every field's range.
_MOST_BIG_BYTES: Final = 16

_encoder = msgspec.msgpack.Encoder()

# How many bytes of length follow the first byte.
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXT = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_LIST = {0xDC: 2, 0xDD: 4}
_UNSIGNED = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_SIGNED = {0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
# Extensions of fixed size 1, 2, 4, 8, 16; 0xC7 says its size.
_EXTENSION = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def pack(record: msgspec.Struct) -> bytes:
    """The bytes of a record."""
    try:
        return _encoder.encode(record)
    except OverflowError:
        return _encoder.encode(_widen(msgspec.to_builtins(record, builtin_types=(bytes,))))


def unpack(data: bytes, kind: Any) -> Any:
    """The record in `data`, great integers and all.

    Raises:
        ValueError: not what `pack` writes, or no such record (`msgspec.ValidationError`).
    """
    value, end = _read(data, 0, DEPTH)
    if end != len(data):
        raise ValueError("bytes after the end")
    return msgspec.convert(value, kind)


def _widen(value: Any) -> Any:
    if type(value) is int and not -(2**63) <= value < 2**64:
        magnitude = abs(value)
        size = (magnitude.bit_length() + 7) // 8
        sign = b"\x01" if value < 0 else b"\x00"
        return msgspec.msgpack.Ext(_BIG_INT, sign + magnitude.to_bytes(size, "big"))
    if isinstance(value, list | tuple):
        return [_widen(item) for item in value]
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """One item, and where the next begins."""
    if at >= len(data):
        raise ValueError("truncated")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 0x100, at
    if 0x90 <= first < 0xA0:
        return _read_list(data, at, first & 0x0F, depth)
    if 0xA0 <= first < 0xC0:
        raw, at = _take(data, at, first & 0x1F)
        return raw.decode(), at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    for table, signed in ((_UNSIGNED, False), (_SIGNED, True)):
        if first in table:
            raw, at = _take(data, at, table[first])
            return int.from_bytes(raw, "big", signed=signed), at
    if first in _BYTES:
        size, at = _length(data, at, _BYTES[first])
        return _take(data, at, size)
    if first in _TEXT:
        size, at = _length(data, at, _TEXT[first])
        raw, at = _take(data, at, size)
        return raw.decode(), at
    if first in _LIST:
        size, at = _length(data, at, _LIST[first])
        return _read_list(data, at, size, depth)
    if first in _EXTENSION or first == 0xC7:
        size, at = (_EXTENSION[first], at) if first != 0xC7 else _length(data, at, 1)
        raw, at = _take(data, at, size + 1)
        return _big_int(raw), at
    raise ValueError(f"unknown item {first:#x}")


def _read_list(data: bytes, at: int, size: int, depth: int) -> tuple[list[Any], int]:
    if depth == 0:
        raise ValueError("nested too deep")
    if size > len(data) - at:
        raise ValueError("truncated")
    items = []
    for _ in range(size):
        item, at = _read(data, at, depth - 1)
        items.append(item)
    return items, at


def _length(data: bytes, at: int, size: int) -> tuple[int, int]:
    raw, at = _take(data, at, size)
    return int.from_bytes(raw, "big"), at


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(data):
        raise ValueError("truncated")
    return data[at:end], end


def _big_int(raw: bytes) -> int:
    """An extension: its kind, then sign and magnitude."""
    if raw[0] != _BIG_INT or not 3 <= len(raw) <= _MOST_BIG_BYTES + 2 or raw[1] > 1:
        raise ValueError("unknown extension")
    magnitude = int.from_bytes(raw[2:], "big")
    return -magnitude if raw[1] else magnitude
