"""One line of JSON for each thing that a hub's parts have to say; never with anything secret.

A line says when, what kind of thing, and its fields. What peers have sent is not repeated, only
what was wrong with it; preimages and signatures are left out, and of the chain's node only the
host is named: its address may carry a key.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO, Any, Final
from urllib.parse import urlsplit

import msgspec

from perun.errors import PerunError

__all__ = ["JsonLog"]

_SECRET: Final = frozenset(
    {"preimage", "signature", "secret", "secrets", "seed", "token", "random", "raw"}
)
_LONGEST: Final = 600
_LONGEST_BYTES: Final = 33
_DEEPEST: Final = 3


class JsonLog:
    """Hears what parts tell, from any thread."""

    def __init__(
        self, to: IO[str], urls: Iterable[str] = (), clock: Callable[[], float] = time.time
    ) -> None:
        """Args:
        urls: of the chain's nodes.
        """
        self._to, self._clock = to, clock
        self._hidden = [(url, urlsplit(url).hostname or "the node") for url in urls]
        for url in urls:
            parts = urlsplit(url)
            self._hidden += [
                (piece, "…") for piece in (parts.password, parts.query, parts.path[1:]) if piece
            ]
        self._lock = threading.Lock()

    def tell(self, told: object) -> None:
        """Something to be logged."""
        if type(told) is tuple:
            what, error = told
            fields: dict[str, Any] = {"of": type(what).__name__, "error": type(error).__name__}
            fields["why"] = str(error) if isinstance(error, PerunError) else ""
            self.write("refused", fields)
        else:
            self.write(type(told).__name__, _fields(told, 0))

    def write(self, event: str, fields: dict[str, Any]) -> None:
        """A line. One that cannot be written, on a full disk say, is lost: the parts that tell are
        the node's turn and the chain's round, and must go on."""
        line = {"at": round(self._clock(), 3), "event": event, **fields}
        text = msgspec.json.encode(self._clean(line)).decode()
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._to.write(text + "\n")
            self._to.flush()

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for hidden, shown in self._hidden:
                value = value.replace(hidden, shown)
            return value[:_LONGEST].encode("utf-8", "replace").decode()
        if isinstance(value, dict):
            return {name: self._clean(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._clean(inner) for inner in value]
        return value


def _fields(record: object, depth: int) -> dict[str, Any]:
    names: Iterable[str] = ()
    for known in ("__struct_fields__", "__dataclass_fields__", "_fields"):
        names = names or getattr(record, known, ())
    return {
        name: _plain(getattr(record, name), depth)
        for name in names
        if not any(word in name for word in _SECRET)
    }


def _plain(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex() if len(value) <= _LONGEST_BYTES else f"{len(value)} bytes"
    if depth < _DEEPEST and (hasattr(value, "__struct_fields__") or _is_data(value)):
        return _fields(value, depth + 1)
    return type(value).__name__


def _is_data(value: object) -> bool:
    return hasattr(value, "__dataclass_fields__") or hasattr(value, "_fields")
