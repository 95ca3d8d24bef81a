"""A file of transactions: appended, flushed, and read from the start. Each is there whole or not.

    magic 8 │ generation 8 │ crc 4 │ entry │ entry │ …
    entry:  number 8 │ length 4 │ crc of these and the generation 4 │ crc of the body 4 │ body

A crash can cut off the last entry, which then never left. It cannot damage an earlier one: if
something whole stands behind what cannot be read, the file is damaged, and nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from perun.page.files import File
from perun.store.faults import StoreDamaged, StoreTooNew

__all__ = ["Log"]

_MAGIC: Final = b"perunlg"
_VERSION: Final = 1
_HEAD: Final = 20
_ENTRY: Final = 20
_NAME: Final = "this browser's storage"


class Log:
    """One file."""

    def __init__(self, file: File) -> None:
        """Reads the head, nothing else."""
        self._file = file
        self.spoiled = False
        """Whether it has a head that nobody has written."""
        self.generation = self._read_head()
        """0: the file was never finished, or is empty, or spoiled."""
        self.end = _HEAD
        """Where the next entry goes; right after `entries` was read to its end, or `begin`."""
        self._number = 0

    def _read_head(self) -> int:
        head = self._file.read(0, _HEAD)
        if len(head) < _HEAD or not any(head):
            return 0
        if head[:7] == _MAGIC and head[7] > _VERSION:
            raise StoreTooNew(_NAME, head[7], _VERSION)
        if head[:7] != _MAGIC or crc32(head[:16]) != int.from_bytes(head[16:], "big"):
            self.spoiled = True
            return 0
        return int.from_bytes(head[8:16], "big")

    def entries(self) -> Iterator[bytes]:
        """All bodies in order; what a crash has cut off at the end is forgotten.

        Raises:
            StoreDamaged: something is not as it was written.
        """
        data = self._file.read(0, self._file.size())
        at = _HEAD
        while (found := self._entry(data, at)) is not None:
            number, body = found
            if number != self._number:
                raise StoreDamaged(_NAME, f"entry {number} where {self._number} should be")
            self._number += 1
            at += _ENTRY + len(body)
            yield body
        later = next((place for place in range(at + 1, len(data)) if self._entry(data, place)), 0)
        if later:
            raise StoreDamaged(_NAME, f"entry {self._number} is not what was written")
        if at < len(data):
            self._file.truncate(at)
        self.end = at

    def _entry(self, data: bytes, at: int) -> tuple[int, bytes] | None:
        """Number and body of a whole entry; None: there is none."""
        head = data[at : at + _ENTRY]
        if len(head) < _ENTRY or self._check(head[:12]) != head[12:16]:
            return None
        body = data[at + _ENTRY : at + _ENTRY + int.from_bytes(head[8:12], "big")]
        if len(body) != int.from_bytes(head[8:12], "big") or _crc(body) != head[16:]:
            return None
        return int.from_bytes(head[:8], "big"), body

    def _check(self, head: bytes) -> bytes:
        # Of this generation only: a file is used again.
        return crc32(head, self.generation & 0xFFFF_FFFF).to_bytes(4, "big")

    def begin(self, generation: int, bodies: Iterator[bytes]) -> None:
        """A new content for the file; it counts once all of it is on disk."""
        self._file.truncate(0)
        self.generation, self.end, self._number = generation, _HEAD, 0
        for body in bodies:
            self._put(body)
        self._file.flush()
        head = _MAGIC + bytes((_VERSION,)) + generation.to_bytes(8, "big")
        self._file.write(0, head + crc32(head).to_bytes(4, "big"))
        self._file.flush()

    def append(self, body: bytes) -> None:
        """One more transaction; on disk when this returns."""
        self._put(body)
        self._file.flush()

    def forget(self) -> None:
        """Nothing of it counts any more."""
        self._file.truncate(0)
        self._file.flush()

    def _put(self, body: bytes) -> None:
        head = self._number.to_bytes(8, "big") + len(body).to_bytes(4, "big")
        self._file.write(self.end, head + self._check(head) + _crc(body) + body)
        self.end += _ENTRY + len(body)
        self._number += 1


def _crc(body: bytes) -> bytes:
    return crc32(body).to_bytes(4, "big")
