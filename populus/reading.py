"""JSON of files that anybody may have written: an error, never a crash.

Readers of JSON go down by recursion as deep as it is nested, and libraries raise Python's limit so
far that the stack ends first, and the process with it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["is_deep", "read_json"]

_DEPTH: Final = 100
"""Things within things; an artifact takes some ten, a syntax tree is not read."""

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.S)
_BRACKET: Final = re.compile(rb"[][{}]")


def is_deep(data: bytes) -> bool:
    """Whether something lies too deep; brackets in strings are none."""
    if data.count(b"[") + data.count(b"{") <= _DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEPTH:
            return True
    return False


def read_json(data: bytes) -> Any:
    """What it says.

    Raises:
        ValueError: it is no JSON in UTF-8, or nested too deep, or its text cannot be written.
    """
    if is_deep(data):
        raise ValueError(f"it is nested more than {_DEPTH} deep")
    value = json.loads(data.decode("utf-8-sig"))
    text = json.dumps(value, ensure_ascii=False)
    text.encode()  # half a surrogate pair is no text
    if "\\u0000" in text:
        raise ValueError("a zero byte in its text")
    return value
