"""Which record lives in which table, and the checksum that each row carries.

A row is found by a number that the store hands out; its id is inside. So overwriting a row touches
one page and no index. Only a `NumberedExtra` brings a number of its own.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from perun.core.state import (
    ChannelView,
    Credit,
    HubInstance,
    InstanceView,
    Invitation,
    StoreMark,
    Totals,
)
from perun.encoding.records import CorruptRow, Extra, NumberedExtra, RowCodec

__all__ = ["TABLES", "Table", "checked", "seed_of", "sum_of", "table_of", "unchecked"]


_ROWS_PER_STATEMENT: Final = (64, 8, 1)

_CHECKSUM: Final = 4
"""Bytes behind each row and each small value: CRC-32 of them and of where they belong."""


class Table:
    """A table of one kind of record."""

    __slots__ = (
        "codec",
        "create",
        "delete",
        "highest",
        "inserts",
        "name",
        "numbered",
        "seed",
        "select",
        "some",
    )

    def __init__(self, name: str, kind: type[Any]) -> None:
        put = f"INSERT OR REPLACE INTO {name} (row, body) VALUES"
        self.name = name
        self.codec: RowCodec[Any] = RowCodec(kind)
        self.seed = seed_of(name)
        self.inserts = tuple(
            (count, f"{put} {', '.join(['(?, ?)'] * count)}") for count in _ROWS_PER_STATEMENT
        )
        """How many rows a statement stores, and the statement; many at once take half the time."""
        self.delete = f"DELETE FROM {name} WHERE row = ?"  # noqa: S608
        # In the order in which they came: PostgreSQL would say first what was changed longest ago.
        self.select = f"SELECT row, body FROM {name} ORDER BY row"  # noqa: S608
        self.highest = f"SELECT max(row) FROM {name}"  # noqa: S608
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {name} (row INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )
        self.numbered = issubclass(kind, NumberedExtra)
        self.some = f"SELECT row, body FROM {name} WHERE row > ? ORDER BY row LIMIT ?"  # noqa: S608

    def decode(self, number: int, stored: object) -> Any:
        """The row in what is stored under a number.

        Raises:
            CorruptRow: it is not what was written.
        """
        body = unchecked(stored, self.seed)
        if body is None:
            raise CorruptRow(self.codec.kind.__name__, f"row {number}: its checksum is another")
        row = self.codec.decode(body)
        if self.numbered and row.number != number:
            raise CorruptRow(self.codec.kind.__name__, f"row {number}: it was {row.number}")
        return row


def seed_of(name: str) -> int:
    """Where the checksums of a table begin, so that a row is good in its own table only."""
    return crc32(name.encode())


def checked(body: bytes, seed: int) -> bytes:
    """What is stored for `body`."""
    return body + crc32(body, seed).to_bytes(_CHECKSUM, "big")


def unchecked(stored: object, seed: int) -> bytes | None:
    """What `checked` was given; None if that cannot be."""
    if not isinstance(stored, bytes) or len(stored) < _CHECKSUM:
        return None
    body = stored[:-_CHECKSUM]
    return body if crc32(body, seed) == sum_of(stored) else None


def sum_of(stored: bytes) -> int:
    """The checksum in what is stored."""
    return int.from_bytes(stored[-_CHECKSUM:], "big")


TABLES: Final[dict[type, Table]] = {
    Totals: Table("totals", Totals),
    ChannelView: Table("channels", ChannelView),
    InstanceView: Table("instances", InstanceView),
    HubInstance: Table("crossings", HubInstance),
    Invitation: Table("invitations", Invitation),
    Credit: Table("credits", Credit),
    StoreMark: Table("marks", StoreMark),
}
"""The core's, by kind of record; the names are fixed by the schema in `migrations`."""


_extras: dict[type, Table] = {}


def table_of(kind: type) -> Table:
    """The table of a kind of record; an `Extra` names its own."""
    table = TABLES.get(kind) or _extras.get(kind)
    if table is None:
        assert issubclass(kind, Extra)
        table = _extras[kind] = Table(kind.table, kind)
    return table
