"""The store of a node in a browser: rows in memory, each turn's changes appended to a file.

Two files, of which one counts. When most of it is of the past, what there is now is written into
the other, which counts once it is wholly on disk; so a crash at any moment leaves one of them.
All rows are in memory, numbered ones too: a page is one person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeVar

import msgspec

from perun.core.books import Row, row_key
from perun.core.state import StoreMark
from perun.encoding.records import Extra, NumberedExtra
from perun.page.files import File, fault_of
from perun.page.log import Log
from perun.store.faults import StoreDamaged, StoreFull, WriteFailed
from perun.store.tables import TABLES, Table, table_of

__all__ = ["PageStore"]

N = TypeVar("N", bound=NumberedExtra)

_VALUES: Final = ""
"""The table of small values."""
_COUNT: Final = "count"
_PIECE: Final = 512
"""Rows in one entry of a new file."""
_LEAST: Final = 1 << 20
"""Bytes below which a file is never written anew."""
_TIMES: Final = 4
"""So many times what counts may a file hold."""

_Change = tuple[str, bytes, bytes | None]
"""Table, key, and the row's bytes; None: it is gone."""
_changes: Final = msgspec.msgpack.Decoder(list[_Change])


class PageStore:
    """`perun.ports.Store`, and small values beside the rows."""

    def __init__(self, files: Sequence[File], extras: Sequence[type[Extra]] = ()) -> None:
        """Takes up what the newest whole file holds.

        Args:
            files: two, held by nobody else.
            extras: kinds of records of the program above the node; others stay where they are.

        Raises:
            StoreDamaged, StoreTooNew: as they say.
        """
        self._tables: dict[str, tuple[type, Table]] = {
            table.name: (kind, table)
            for kind, table in {**TABLES, **{kind: table_of(kind) for kind in extras}}.items()
        }
        self._names = {kind: name for name, (kind, _) in self._tables.items()}
        self._rows: dict[str, dict[bytes, bytes]] = {}
        self._bytes = 0
        """Of all rows, as they are written."""
        self._logs = [Log(file) for file in files]
        self._failed = False
        if not any(log.generation for log in self._logs):
            if any(log.spoiled for log in self._logs):
                raise StoreDamaged("this browser's storage", "its head is not what was written")
            self._logs[0].begin(1, iter(()))
        self._logs.sort(key=lambda log: log.generation)
        for body in self._logs[-1].entries():
            self._keep(_read(body))
        self.count = int.from_bytes(self.get(_COUNT) or b"", "big")
        """How many writes of rows there were in its life."""
        mark = self._names[StoreMark]
        self._exit_only = bool(self._rows.get(mark))

    @property
    def exit_only(self) -> bool:
        """See `perun.ports.Store`."""
        return self._exit_only

    def records(self) -> Iterable[Row]:
        """See `perun.ports.Store`."""
        for name, (kind, table) in self._tables.items():
            if not issubclass(kind, NumberedExtra):
                for body in self._rows.get(name, {}).values():
                    yield table.codec.decode(body)

    def bounds(self, kind: type[NumberedExtra]) -> tuple[int, int]:
        """See `perun.ports.Store`."""
        keys = self._rows.get(self._names[kind])
        if not keys:
            return 1, 0
        return int.from_bytes(min(keys), "big"), int.from_bytes(max(keys), "big")

    def numbered(self, kind: type[N], after: int, most: int) -> list[N]:
        """See `perun.ports.Store`."""
        rows = self._rows.get(self._names[kind], {})
        codec = table_of(kind).codec
        first = (after + 1).to_bytes(8, "big")
        keys = sorted(key for key in rows if key >= first)
        return [codec.decode(rows[key]) for key in keys[:most]]

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `perun.ports.Store`."""
        newest: dict[tuple[str, bytes], bytes | None] = {}
        marked = False
        for row in rows:
            kind = type(row)
            marked = marked or kind is StoreMark
            newest[self._names[kind], row_key(row)] = table_of(kind).codec.encode(row)
        for row in drops:
            newest[self._names[type(row)], row_key(row)] = None
        count = self.count + 1
        newest[_VALUES, _COUNT.encode()] = count.to_bytes(8, "big")
        self._write([(name, key, body) for (name, key), body in newest.items()])
        self.count = count
        self._exit_only = self._exit_only or marked

    def found(self, values: Mapping[str, bytes], rows: Iterable[Row] = ()) -> None:
        """What a store begins with: all of it at once, or nothing."""
        begun: list[_Change] = [(_VALUES, name.encode(), value) for name, value in values.items()]
        for row in rows:
            kind = type(row)
            self._exit_only = self._exit_only or kind is StoreMark
            begun.append((self._names[kind], row_key(row), table_of(kind).codec.encode(row)))
        self._write(begun)

    def close(self) -> None:
        """See `perun.ports.Store`; the page lets the files go."""
        self._failed = True

    # ---------------------------------------------------------------------------- small values

    def get(self, name: str) -> bytes | None:
        """A small value."""
        return self._rows.get(_VALUES, {}).get(name.encode())

    def put(self, name: str, value: bytes | None) -> None:
        """Keeps a small value, or forgets it; on disk when this returns."""
        self._write([(_VALUES, name.encode(), value)])

    def values(self, prefix: str) -> dict[str, bytes]:
        """All small values whose names begin so."""
        found = self._rows.get(_VALUES, {})
        return {
            name.decode(): value
            for name, value in found.items()
            if name.startswith(prefix.encode())
        }

    # ---------------------------------------------------------------------------- the files

    def _write(self, changes: list[_Change]) -> None:
        if self._failed:
            raise WriteFailed("this browser's storage", "the store is closed, or has failed before")
        log = self._logs[-1]
        try:
            log.append(msgspec.msgpack.encode(changes))
        except Exception as error:
            self._failed = True
            raise fault_of(error) from error
        self._keep(changes)
        if log.end > _LEAST and log.end > _TIMES * self._bytes:
            self._write_anew()

    def _keep(self, changes: Iterable[_Change]) -> None:
        for name, key, body in changes:
            rows = self._rows.setdefault(name, {})
            old = rows.pop(key, None)
            if old is not None:
                self._bytes -= len(key) + len(old)
            if body is not None:
                rows[key] = body
                self._bytes += len(key) + len(body)

    def _write_anew(self) -> None:
        """What counts, into the other file. If that fails nothing is lost: this one goes on."""
        other, log = self._logs
        try:
            other.begin(log.generation + 1, self._snapshot())
        except Exception as error:
            fault = fault_of(error)
            if not isinstance(fault, StoreFull):
                raise fault from error
            return
        self._logs = [log, other]
        log.forget()

    def _snapshot(self) -> Iterator[bytes]:
        every = (
            (name, key, body) for name, rows in self._rows.items() for key, body in rows.items()
        )
        while piece := list(islice(every, _PIECE)):
            yield msgspec.msgpack.encode(piece)


def _read(body: bytes) -> list[_Change]:
    try:
        return _changes.decode(body)
    except msgspec.MsgspecError as error:
        raise StoreDamaged("this browser's storage", str(error)) from None
