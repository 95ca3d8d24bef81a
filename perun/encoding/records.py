"""Stored bytes: one row of the store is one record, as MessagePack with great integers.

The same encoding as messages, without a version byte: the store's schema has a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from perun.encoding.packing import pack, unpack
from perun.errors import Misuse, StoreFault
from perun.nesting import is_deep_msgpack
from perun.types import Record

__all__ = ["CorruptRow", "Extra", "NumberedExtra", "RowCodec"]

T = TypeVar("T", bound=msgspec.Struct)


class Extra(Record, frozen=True, array_like=True):
    """A record of a program above the node, stored in the transactions of the node's turns.

    The core knows nothing of them. Fields are only ever added, at the end and with a default.
    """

    table: ClassVar[str]
    """Where the store keeps its kind; fixed for ever."""
    kept: ClassVar[bool] = False
    """Whether it goes into backups: what our user has noted, and nobody could tell again."""

    @property
    def row_key(self) -> bytes:
        """What it is found by, among records of its kind."""
        raise NotImplementedError


class NumberedExtra(Extra, frozen=True, array_like=True):
    """One of a kind of which there are so many that they are not read at the start.

    They are read by their numbers, which their program hands out.
    """

    number: int

    @property
    def row_key(self) -> bytes:
        """Its number."""
        return self.number.to_bytes(8, "big")


@dataclass(eq=False)
class CorruptRow(StoreFault):
    """A row that is not what was written: the file is damaged, or of another program."""

    kind: str
    reason: str

    template: ClassVar[str] = "corrupt {kind} row: {reason}"
    hint: ClassVar[str] = "restore a backup; it opens exit only, which gets the money out"


class RowCodec(Generic[T]):
    """Encodes and decodes rows of one kind."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)

    def encode(self, row: T) -> bytes:
        """The bytes of a row."""
        return pack(row)

    def decode(self, data: bytes) -> T:
        """The row in `data`; raises `CorruptRow`."""
        if is_deep_msgpack(data):
            raise CorruptRow(self.kind.__name__, "nested too deep")
        try:
            try:
                return self._decoder.decode(data)
            except msgspec.ValidationError:
                row: Any = unpack(data, self.kind)
                assert isinstance(row, self.kind)
                return row
        except (msgspec.MsgspecError, Misuse, ValueError, RecursionError) as error:
            raise CorruptRow(self.kind.__name__, str(error)) from None
