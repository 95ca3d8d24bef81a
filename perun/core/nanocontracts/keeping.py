"""What a kind keeps of an instance, beside what all have: its own record in `InstanceView.kept`.

The record's fields all have defaults: it stands for nothing kept. Like the core's other rows it may
grow at the end, by fields with defaults.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec.structs import replace

from perun.core.state import InstanceView
from perun.encoding.records import RowCodec
from perun.types import Record

__all__ = ["Keeping"]

K = TypeVar("K", bound=Record)


class Keeping(Generic[K]):
    """Reads and writes a kind's own record."""

    def __init__(self, record: type[K]) -> None:
        self._empty = record()
        self._codec = RowCodec(record)

    def of(self, instance: InstanceView | None) -> K:
        """What is kept of an instance."""
        if instance is None or not instance.kept:
            return self._empty
        return self._codec.decode(instance.kept)

    def into(self, instance: InstanceView, kept: K) -> InstanceView:
        """The instance, of which this is kept."""
        nothing = kept == self._empty
        return replace(instance, kept=b"" if nothing else self._codec.encode(kept))
