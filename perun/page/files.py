"""The files that the page lends: of the origin's private file system, which no other page sees."""

from __future__ import annotations

from typing import Protocol

from perun.store.faults import StoreFull, WriteFailed

__all__ = ["File", "fault_of"]


class File(Protocol):
    """A file that is held by us alone; positions and sizes in bytes."""

    def size(self) -> int:
        """How long it is."""

    def read(self, at: int, size: int) -> bytes:
        """So many bytes from there; fewer at its end."""

    def write(self, at: int, data: bytes) -> None:
        """Puts bytes there; the file grows if need be."""

    def truncate(self, size: int) -> None:
        """Cuts it off there."""

    def flush(self) -> None:
        """On disk, whatever the power does, when this returns."""


def fault_of(error: Exception) -> StoreFull | WriteFailed:
    """What an error of the page's file system means."""
    text = f"{type(error).__name__}: {error}"[:200]
    full = "quota" in text.lower() or "no space" in text.lower()
    return StoreFull("this browser", text) if full else WriteFailed("this browser's storage", text)
