"""What can go wrong with a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from perun.errors import StoreFault

__all__ = ["StoreDamaged", "StoreInUse", "StoreTooNew", "WriteFailed"]


@dataclass(eq=False)
class StoreDamaged(StoreFault):
    """The file is no store, or not as it was written; it was left as it is."""

    path: str
    reason: str

    template: ClassVar[str] = "{path} cannot be read: {reason}"
    hint: ClassVar[str] = "restore a backup; it opens exit only, which gets the money out"


@dataclass(eq=False)
class StoreInUse(StoreFault):
    """Another process has the store open; its lock vanishes with it."""

    path: str
    holder: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{path} is in use by process {holder}"
    hint: ClassVar[str] = "one store has one writer: stop the other process first"


@dataclass(eq=False)
class StoreTooNew(StoreFault):
    """The file was written by a newer program."""

    path: str
    found: int
    known: int

    template: ClassVar[str] = "{path} has schema {found}, this program knows {known}"
    hint: ClassVar[str] = "install the newer version; nothing was changed"


@dataclass(eq=False)
class WriteFailed(StoreFault):
    """It is not known whether the last rows are on disk; nothing after them may be done."""

    path: str
    reason: str

    template: ClassVar[str] = "writing {path} failed: {reason}"
    hint: ClassVar[str] = "the node stops; free space or repair the disk, then start it again"
