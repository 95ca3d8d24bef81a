"""Stored bytes: one row of the store is one record, as MessagePack with great integers.

The same encoding as messages, without a version byte: the store's schema has a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from perun.encoding.packing import pack, unpack
from perun.errors import Misuse, StoreFault

__all__ = ["CorruptRow", "RowCodec"]

T = TypeVar("T", bound=msgspec.Struct)


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
        try:
            try:
                return self._decoder.decode(data)
            except msgspec.ValidationError:
                row: Any = unpack(data, self.kind)
                assert isinstance(row, self.kind)
                return row
        except (msgspec.MsgspecError, Misuse, ValueError) as error:
            raise CorruptRow(self.kind.__name__, str(error)) from None
