"""A store and a journal that go on in memory when their disk does not: full, locked, read-only, or
one that never answers.

Only for whoever can do nothing twice to harm: an exit and a tower sign nothing and put no money in,
so a lost record costs them gas at worst, while an answer that is not sent costs a channel. A node
must never use these: it would forget what it has signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from perun.chain import SqliteJournal
from perun.chain.journal import Entry, Journal, MemoryJournal
from perun.core.books import Row
from perun.encoding.records import NumberedExtra
from perun.errors import StoreFault
from perun.node.hanging import begun
from perun.ports import Store
from perun.store import MemoryStore
from perun.types import Address

__all__ = ["AfloatJournal", "AfloatStore", "DiskHangs", "afloat_journal"]


@dataclass(eq=False)
class DiskHangs(StoreFault):
    """What was to be written is neither written nor refused."""

    waited: float
    """Seconds."""

    template: ClassVar[str] = "the disk has not answered for {waited:.0f} s"
    hint: ClassVar[str] = "see whether it is there; nothing is lost but gas, if that is spent twice"


N = TypeVar("N", bound=NumberedExtra)

Tell = Callable[[StoreFault], None]
"""Told once of each failure that follows a success."""


_SECONDS: Final = 5.0


class _Disk:
    """Does on disk what it can, and says when it begins to fail."""

    def __init__(self, tell: Tell, seconds: float) -> None:
        self._tell, self._seconds = tell, seconds
        self._failing = False
        self._late: Future[None] | None = None
        """What the disk has not done yet; it is asked for nothing more meanwhile."""

    def attempt(self, act: Callable[[], None]) -> None:
        """Raises nothing that the disk does, and waits for it no longer than so many seconds."""
        if self._late is not None and not self._late.done():
            return
        self._late = begun(act)
        try:
            self._late.result(self._seconds)
        except TimeoutError:
            self._fail(DiskHangs(self._seconds))
        except StoreFault as fault:
            self._fail(fault)
        else:
            self._failing = False

    def _fail(self, fault: StoreFault) -> None:
        if not self._failing:
            self._tell(fault)
        self._failing = True


class AfloatStore:
    """Rows in memory, and in a store as long as that takes them."""

    def __init__(self, store: Store, tell: Tell, seconds: float = _SECONDS) -> None:
        """Reads everything.

        Raises:
            StoreFault: it cannot be read.
        """
        self._disk = _Disk(tell, seconds)
        self._below = store
        self._memory = MemoryStore()
        self._memory.write(store.records())

    @property
    def exit_only(self) -> bool:
        """See `perun.ports.Store`."""
        return self._below.exit_only

    def records(self) -> Iterable[Row]:
        """See `perun.ports.Store`."""
        return self._memory.records()

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        return self._below.bounds(kind)

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        return self._below.numbered(kind, after, most)

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `perun.ports.Store`; never fails for what the disk does."""
        rows, drops = tuple(rows), tuple(drops)
        self._memory.write(rows, drops)
        self._disk.attempt(lambda: self._below.write(rows, drops))

    def close(self) -> None:
        """See `perun.ports.Store`."""
        self._below.close()


class AfloatJournal:
    """Entries in memory, and in a journal as long as that takes them."""

    def __init__(self, journal: Journal, tell: Tell, seconds: float = _SECONDS) -> None:
        """Reads everything.

        Raises:
            StoreFault: it cannot be read.
        """
        self._disk = _Disk(tell, seconds)
        self._below = journal
        self._memory = MemoryJournal()
        for entry in journal.load():
            self._memory.put(entry)

    def load(self) -> Iterable[Entry]:
        """See `Journal`."""
        return self._memory.load()

    def put(self, entry: Entry) -> None:
        """See `Journal`.

        Raises:
            StoreFault: it cannot be written, and a second such transaction would move money twice.
        """
        if entry.wish.once:
            self._below.put(entry)
        else:
            self._disk.attempt(lambda: self._below.put(entry))
        self._memory.put(entry)

    def drop(self, nonce: int) -> None:
        """See `Journal`."""
        self._disk.attempt(lambda: self._below.drop(nonce))
        self._memory.drop(nonce)


def afloat_journal(path: Path, account: Address, tell: Tell) -> tuple[Journal, Callable[[], None]]:
    """The journal in a file, in memory alone if that is damaged or takes nothing: an answer must
    not wait for it. And how to let it go."""
    file: SqliteJournal | None = None
    try:
        file = SqliteJournal(path, account)
        return AfloatJournal(file, tell), file.close
    except StoreFault as fault:
        tell(fault)
        if file is not None:
            file.close()
        return MemoryJournal(), _nothing


def _nothing() -> None:
    pass
