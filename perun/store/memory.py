"""A store that forgets with the process: for tests, towers and simulations.

`crash_before` makes the n-th write from now fail before anything is kept, so that a test can stop a
node between any two writes and restart it on what is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.core.books import Row, row_key
from perun.store.faults import WriteFailed
from perun.store.tables import TABLES

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps encoded rows, so that nothing is shared with the node that wrote them."""

    def __init__(self, *, exit_only: bool = False) -> None:
        self._rows: dict[tuple[type, bytes], bytes] = {}
        self.exit_only = exit_only
        self.writes = 0
        self.crash_before: int | None = None

    def records(self) -> Iterable[Row]:
        """All rows, decoded."""
        for (kind, _), body in self._rows.items():
            yield TABLES[kind].codec.decode(body)

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All or nothing."""
        if self.crash_before is not None:
            if self.crash_before == 0:
                raise WriteFailed("memory", "scripted crash")
            self.crash_before -= 1
        encoded = {(type(row), row_key(row)): TABLES[type(row)].codec.encode(row) for row in rows}
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
