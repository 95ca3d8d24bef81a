"""How deep bytes are nested, before a reader that recurses sees them.

Readers of MessagePack and JSON skip what they do not know by recursion in C, as deep as it goes:
until Python's limit raises `RecursionError`, or, where something has raised that limit, until the
thread's stack is at an end and the process with it. Nothing here recurses, and what cannot be deep
is told by counting: one pass in C, a third of a microsecond for a payment.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

__all__ = ["DEPTH", "is_deep_json", "is_deep_msgpack", "read_json"]

T = TypeVar("T")

DEPTH: Final = 64
"""Of things within things, where it is counted exactly; a message takes 7."""

_HARMLESS: Final = 1_000
"""So many openings cannot be too deep: the readers of every Python we support take that on a stack
of 64 kB, the smallest that a thread gets (`tests/games/fuzz/test_nesting.py`), or raise
`RecursionError`."""

_MOST_LOOKED_AT: Final = 2**20
"""Things, where depth is counted exactly: a quarter of a second. Only who wants to be slow to read
sends more."""

_OPENERS: Final = bytes((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
"""First bytes of arrays and maps."""
_OTHERS: Final = bytes(set(range(256)) - set(_OPENERS))

# First bytes of things with a length, or of a fixed one: bytes of length, bytes besides.
_SIZED: Final = {
    **dict.fromkeys((0xC4, 0xD9), (1, 0)),
    **dict.fromkeys((0xC5, 0xDA), (2, 0)),
    **dict.fromkeys((0xC6, 0xDB), (4, 0)),
    0xC7: (1, 1),
    0xC8: (2, 1),
    0xC9: (4, 1),
}
_FIXED: Final = {
    **dict.fromkeys((0xCC, 0xD0), 1),
    **dict.fromkeys((0xCD, 0xD1, 0xD4), 2),
    0xD5: 3,
    **dict.fromkeys((0xCA, 0xCE, 0xD2), 4),
    0xD6: 5,
    **dict.fromkeys((0xCB, 0xCF, 0xD3), 8),
    0xD7: 9,
    0xD8: 17,
}

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.S)
_BRACKET: Final = re.compile(rb"[][{}]")


def is_deep_msgpack(data: bytes, most: int = _MOST_LOOKED_AT) -> bool:
    """Whether something in `data` lies deeper than `DEPTH`, or there is too much in it to tell.
    What is no MessagePack at all is left to its reader, up to where it stops making sense.

    Args:
        most: things that are looked at.
    """
    if len(data) <= _HARMLESS or len(data.translate(None, _OTHERS)) <= _HARMLESS:
        return False
    left: list[int] = []
    """How many items are still to come, in each array and map that is open."""
    at, end = 0, len(data)
    looked_at = 0
    while at < end:
        looked_at += 1
        if looked_at > most:
            return True
        first = data[at]
        at += 1
        items = -1
        if first < 0x80 or first >= 0xE0:
            pass
        elif first < 0x90:
            items = 2 * (first & 0x0F)
        elif first < 0xA0:
            items = first & 0x0F
        elif first < 0xC0:
            at += first & 0x1F
        elif first >= 0xDC:
            size = 2 if first in (0xDC, 0xDE) else 4
            items = int.from_bytes(data[at : at + size], "big") * (1 + (first >= 0xDE))
            at += size
        elif first in _SIZED:
            size, more = _SIZED[first]
            at += size + more + int.from_bytes(data[at : at + size], "big")
        else:
            at += _FIXED.get(first, 0)
        if items > 0:
            if len(left) >= DEPTH:
                return True
            left.append(items)
            continue
        while left:
            left[-1] -= 1
            if left[-1]:
                break
            left.pop()
    return False


def is_deep_json(data: bytes) -> bool:
    """Whether something in `data` lies deeper than `DEPTH`; brackets in strings are none."""
    if data.count(b"[") + data.count(b"{") <= DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH:
            return True
    return False


def read_json(data: bytes | str, kind: type[T]) -> T:
    """JSON of a stranger, or of a file that anybody may have written.

    Raises:
        msgspec.ValidationError: it says something else.
        msgspec.DecodeError: it is none, or nested deeper than `DEPTH`.
    """
    whole = data.encode(errors="replace") if isinstance(data, str) else data
    if is_deep_json(whole):
        raise msgspec.DecodeError(f"nested more than {DEPTH} deep")
    try:
        return msgspec.json.decode(whole, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
