"""What the shelf keeps its rows in: many of a kind, parts of a total, sums of a day."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, Protocol, TypeVar

from perun.encoding.records import NumberedExtra
from perun.types import UnixTime

__all__ = ["RECENT", "Many", "Reader", "Segments", "Spent", "read_all"]

N = TypeVar("N", bound=NumberedExtra)

RECENT: Final = 10_000
"""Rows of each kind that stay in memory after they are over."""

_PIECE: Final = 10_000
"""Rows read at once."""

_DAY: Final = 86_400


class Reader(Protocol):
    """Where numbered rows are read from."""

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """The least and the greatest number stored."""

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """Stored rows with numbers above `after`."""


class Many(Generic[N]):
    """Numbered rows of one kind: those that are open, and the newest of the others."""

    def __init__(self, kind: type[N]) -> None:
        self._kind = kind
        self._open: dict[int, N] = {}
        self._recent: OrderedDict[int, N] = OrderedDict()
        self.next = 1

    def put(self, row: N, is_open: bool) -> None:
        """Takes a row over."""
        if row.number >= self.next:
            self.next = row.number + 1
        if is_open:
            self._open[row.number] = row
            return
        self._open.pop(row.number, None)
        self._recent[row.number] = row
        self._recent.move_to_end(row.number)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def drop(self, number: int) -> None:
        """Forgets a row."""
        self._open.pop(number, None)
        self._recent.pop(number, None)

    def kept(self, number: int) -> N | None:
        """A row, if it is in memory."""
        return self._open.get(number) or self._recent.get(number)

    def get(self, number: int, reader: Reader) -> N | None:
        """A row, from memory or from the store."""
        row = self.kept(number)
        if row is None:
            found = reader.numbered(self._kind, number - 1, 1)
            row = found[0] if found and found[0].number == number else None
        return row

    def opened(self) -> Iterator[N]:
        """Those that are open, oldest first."""
        return iter([self._open[number] for number in sorted(self._open)])

    def newest(self, reader: Reader) -> Iterator[N]:
        """All, the newest first."""
        number = self.next
        while number > 1:
            least = max(0, number - 1 - 256)
            stored = {row.number: row for row in reader.numbered(self._kind, least, 256)}
            for one in range(number - 1, least, -1):
                row = self._open.get(one) or self._recent.get(one) or stored.get(one)
                if row is not None:
                    yield row
            number = least + 1


class Segments:
    """Parts of one machine's total that are spoken for: disjoint, merged where they touch."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def free(self, first: int, last: int) -> bool:
        """Whether no part of it is taken."""
        at = bisect_left(self._firsts, last)
        return at == 0 or self._lasts[at - 1] <= first

    def take(self, first: int, last: int) -> None:
        """Takes a free segment."""
        at = bisect_left(self._firsts, first)
        if at and self._lasts[at - 1] == first:
            at -= 1
            self._lasts[at] = last
        else:
            self._firsts.insert(at, first)
            self._lasts.insert(at, last)
        if at + 1 < len(self._firsts) and self._firsts[at + 1] == last:
            self._lasts[at] = self._lasts[at + 1]
            del self._firsts[at + 1], self._lasts[at + 1]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._firsts)

    @property
    def total(self) -> int:
        """How much is spoken for."""
        return sum(self._lasts) - sum(self._firsts)


class Spent:
    """What a token has spent of an asset in the last 24 hours."""

    def __init__(self) -> None:
        self._items: list[tuple[UnixTime, int]] = []
        self._sum = 0

    def add(self, at: UnixTime, amount: int) -> None:
        """Counts something; a negative amount gives back what came to nothing."""
        heappush(self._items, (at, amount))
        self._sum += amount

    def since(self, now: UnixTime) -> int:
        """The sum of the last 24 hours."""
        while self._items and self._items[0][0] <= now - _DAY:
            self._sum -= heappop(self._items)[1]
        return self._sum


def read_all(reader: Reader, kind: type[N]) -> Iterator[N]:
    """Every stored row of a kind, in pieces."""
    after = 0
    while rows := reader.numbered(kind, after, _PIECE):
        yield from rows
        after = rows[-1].number
