"""Disks whose power can fail between any two writes, and right after one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from perun.chain.journal import Entry, MemoryJournal
from perun.core.books import Row, row_key
from perun.store.faults import WriteFailed
from perun.store.memory import MemoryStore
from perun.store.tables import TABLES


class Power:
    """One party's: store and journal fail together, at the n-th write from when it was asked."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._after = self._between = False

    def fail_at(self, write: int, *, after: bool, between: bool = False) -> None:
        """Cuts the power at a coming write, before it is kept or after; or where it is kept at two
        places, between them."""
        self._left, self._after, self._between = write, after, between

    def restore(self) -> None:
        """It is back, and nothing is planned."""
        self._left = None

    def before(self) -> None:
        """A write is about to happen."""
        if self._left == 0 and not self._after:
            raise WriteFailed("memory", "scripted power cut")

    def is_between(self) -> bool:
        """Whether it fails after the first of two places has this write."""
        return self._left == 0 and self._after and self._between

    def after(self) -> None:
        """A write has happened; what was to follow it does not."""
        if self._left == 0:
            raise WriteFailed("memory", "scripted power cut after the write")
        if self._left is not None:
            self._left -= 1


class Disk(MemoryStore):
    """A store that outlives its node."""

    def __init__(self, power: Power) -> None:
        super().__init__()
        self._power = power
        self.watch: Callable[[list[Row]], None] = lambda _: None
        """Told what is on the disk now."""

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """All or nothing, or the power fails."""
        rows = list(rows)
        self._power.before()
        super().write(rows, drops)
        self.watch(rows)
        self._power.after()

    def reopen(self) -> None:
        """Its node starts again."""

    def put_back(self, backup: MemoryStore, *, marked: bool) -> Disk:
        """A disk with what the backup holds; unmarked it takes itself for the original."""
        other = Disk(self._power)
        other._rows, other.exit_only = dict(backup._rows), marked
        other.watch = self.watch
        return other

    def row(self, kind: type, key: bytes) -> Row | None:
        """What is on the disk of one record."""
        body = self._rows.get((kind, key))
        return None if body is None else TABLES[kind].codec.decode(body)

    def holds(self, row: Row) -> bool:
        """Whether exactly this row is on the disk."""
        return self.row(type(row), row_key(row)) == row


class JournalDisk(MemoryJournal):
    """A journal that outlives its chain service."""

    def __init__(self, power: Power) -> None:
        super().__init__()
        self._power = power

    def put(self, entry: Entry) -> None:
        """See `Journal`."""
        self._power.before()
        super().put(entry)
        self._power.after()
