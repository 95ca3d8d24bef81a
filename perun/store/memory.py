"""A store that forgets with the process: for tests, towers and simulations.

`crash_before` makes the n-th write from now fail before anything is kept, so that a test can stop a
node between any two writes and restart it on what is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from perun.core.books import Row, row_key
from perun.encoding.records import NumberedExtra
from perun.store.faults import WriteFailed
from perun.store.tables import table_of

__all__ = ["MemoryStore"]

N = TypeVar("N", bound=NumberedExtra)


class MemoryStore:
    """Keeps encoded rows, so that nothing is shared with the node that wrote them."""

    def __init__(self, *, exit_only: bool = False) -> None:
        self._rows: dict[tuple[type, bytes], bytes] = {}
        self.exit_only = exit_only
        self.writes = 0
        self.crash_before: int | None = None

    def records(self) -> Iterable[Row]:
        """All rows but numbered ones, decoded."""
        for (kind, _), body in self._rows.items():
            if not issubclass(kind, NumberedExtra):
                yield table_of(kind).codec.decode(body)

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        keys = [key for known, key in self._rows if known is kind]
        if not keys:
            return 1, 0
        return int.from_bytes(min(keys), "big"), int.from_bytes(max(keys), "big")

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        first = (after + 1).to_bytes(8, "big")
        keys = sorted(key for known, key in self._rows if known is kind and key >= first)
        return [table_of(kind).codec.decode(self._rows[kind, key]) for key in keys[:most]]

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All or nothing."""
        if self.crash_before is not None:
            if self.crash_before == 0:
                raise WriteFailed("memory", "scripted crash")
            self.crash_before -= 1
        encoded = {(type(row), row_key(row)): table_of(type(row)).codec.encode(row) for row in rows}
        self._rows.update(encoded)
        for row in drops:
            self._rows.pop((type(row), row_key(row)), None)
        self.writes += 1

    def copy(self) -> MemoryStore:
        """What a restored backup is: the same rows, exit only."""
        other = MemoryStore(exit_only=True)
        other._rows = dict(self._rows)
        return other

    def close(self) -> None:
        """Nothing to let go."""
