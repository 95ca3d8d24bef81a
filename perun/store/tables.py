"""Which record lives in which table. A row is found by a number that the store hands out; its id is
inside. So overwriting a row touches one page and no index."""

from __future__ import annotations

from typing import Any, Final

from perun.core.state import (
    ChannelView,
    Credit,
    Crossing,
    InstanceView,
    Invitation,
    StoreMark,
    Totals,
)
from perun.encoding.records import Extra, NumberedExtra, RowCodec

__all__ = ["TABLES", "Table", "table_of"]


_ROWS_PER_STATEMENT: Final = (64, 8, 1)


class Table:
    """A table of one kind of record."""

    __slots__ = ("codec", "create", "delete", "inserts", "name", "numbered", "select", "some")

    def __init__(self, name: str, kind: type[Any]) -> None:
        put = f"INSERT OR REPLACE INTO {name} (row, body) VALUES"
        self.name = name
        self.codec: RowCodec[Any] = RowCodec(kind)
        self.inserts = tuple(
            (count, f"{put} {', '.join(['(?, ?)'] * count)}") for count in _ROWS_PER_STATEMENT
        )
        """How many rows a statement stores, and the statement; many at once take half the time."""
        self.delete = f"DELETE FROM {name} WHERE row = ?"  # noqa: S608
        self.select = f"SELECT row, body FROM {name}"  # noqa: S608
        self.create = (
            f"CREATE TABLE IF NOT EXISTS {name} (row INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )
        self.numbered = issubclass(kind, NumberedExtra)
        self.some = f"{self.select} WHERE row > ? ORDER BY row LIMIT ?"


TABLES: Final[dict[type, Table]] = {
    Totals: Table("totals", Totals),
    ChannelView: Table("channels", ChannelView),
    InstanceView: Table("instances", InstanceView),
    Crossing: Table("crossings", Crossing),
    Invitation: Table("invitations", Invitation),
    Credit: Table("credits", Credit),
    StoreMark: Table("marks", StoreMark),
}
"""By kind of record; the names are fixed by the schema in `migrations`."""


_extras: dict[type, Table] = {}


def table_of(kind: type) -> Table:
    """The table of a kind of record; an `Extra` names its own."""
    table = TABLES.get(kind) or _extras.get(kind)
    if table is None:
        assert issubclass(kind, Extra)
        table = _extras[kind] = Table(kind.table, kind)
    return table
