"""Where a place keeps entries: a file each, below a folder per owner and slot.

    shelf/<owner, 66 hex digits>/<slot, 32 hex digits>/<number, 20 digits>

It is a folder that people understand and tools can carry about, and the same for a place that
others ask and for a folder of one's own. It reads nothing of what it keeps.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Final

from perun.backup.entries import Entry, Standing
from perun.errors import PeerFault, StoreFault

__all__ = ["NotNext", "Shelf", "ShelfBroken", "Shelved"]

_SEEN: Final = "seen"
_DIGITS: Final = 20
_MOST_HASHES: Final = 10_000
_OWNER_ONLY: Final = 0o700


@dataclass(eq=False)
class NotNext(PeerFault):
    """An entry that does not continue what a place has."""

    number: int
    newest: int

    template: ClassVar[str] = "entry {number} does not continue the newest, {newest}"


@dataclass(eq=False)
class ShelfBroken(StoreFault):
    """The folder cannot be read or written."""

    path: str
    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{path}: {reason}"


@dataclass(frozen=True, slots=True)
class Shelved:
    """A slot."""

    slot: bytes
    number: int
    """Of its newest entry."""
    seen: int
    """Unix time at which its store last asked for it or wrote."""


class Shelf:
    """A folder with entries; used by one thread at a time."""

    def __init__(self, root: Path) -> None:
        """Makes the folder if need be.

        Raises:
            ShelfBroken: it cannot be made.
        """
        self.root = root
        self._hashes: dict[tuple[str, int, int], bytes] = {}
        with _faults(root):
            root.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)

    def folder(self, owner: bytes) -> Path:
        """Of one owner."""
        return self.root / owner.hex()

    def newest(self, owner: bytes, slot: bytes) -> Standing | None:
        """Which entry is the newest; None: there is none."""
        with _faults(self.root):
            numbers = self._numbers(owner, slot)
            if not numbers:
                return None
            return Standing(numbers[-1], self._hash(self._file(owner, slot, numbers[-1])))

    def _hash(self, file: Path) -> bytes:
        """Of a file, which is read once as long as it is the same."""
        state = file.stat()
        known = str(file), state.st_mtime_ns, state.st_size
        found = self._hashes.pop(known, None) or sha256(file.read_bytes()).digest()
        self._hashes[known] = found
        while len(self._hashes) > _MOST_HASHES:
            del self._hashes[next(iter(self._hashes))]
        return found

    def put(self, owner: bytes, slot: bytes, entry: Entry) -> Standing:
        """Keeps an entry; on disk when it returns. A snapshot takes the place of all before it.

        Raises:
            NotNext: it does not continue the newest.
            ShelfBroken: it is not known to be on disk.
        """
        newest = self.newest(owner, slot)
        standing = entry.standing
        if newest == standing:
            return standing  # Said again: the answer was lost.
        if not entry.follows(newest):
            raise NotNext(entry.number, newest.number if newest else 0)
        with _faults(self.root):
            file = self._file(owner, slot, entry.number)
            if newest is None:
                file.parent.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
                _sync(file.parent.parent)
            _write(file, entry.data)
            _sync(file.parent)
            if entry.after == 0:
                for number in self._numbers(owner, slot):
                    if number < entry.number:
                        self._file(owner, slot, number).unlink()
        self.touch(owner, slot)
        return standing

    def touch(self, owner: bytes, slot: bytes) -> None:
        """Its store is alive."""
        folder = self.folder(owner) / slot.hex()
        with _faults(self.root):
            if folder.is_dir():
                (folder / _SEEN).touch()

    def slots(self, owner: bytes) -> list[Shelved]:
        """All of an owner's."""
        found = []
        with _faults(self.root):
            for folder in self._folders(owner):
                slot = bytes.fromhex(folder.name)
                numbers = self._numbers(owner, slot)
                if numbers:
                    seen = folder / _SEEN
                    at = (seen if seen.exists() else folder).stat().st_mtime
                    found.append(Shelved(slot, numbers[-1], int(at)))
        return found

    def read(self, owner: bytes, slot: bytes, after: int, most: int) -> list[bytes]:
        """Entries with numbers above `after`, ascending: one, and more while there are no more than
        `most` bytes."""
        found: list[bytes] = []
        size = 0
        with _faults(self.root):
            for number in self._numbers(owner, slot):
                if number <= after:
                    continue
                data = self._file(owner, slot, number).read_bytes()
                size += len(data)
                if found and size > most:
                    break
                found.append(data)
        return found

    def sizes(self, owner: bytes, least: int = 0) -> dict[str, int]:
        """Bytes of each slot of an owner; an entry counts for `least` at least."""
        with _faults(self.root):
            return {
                folder.name: sum(
                    max(least, (folder / name).stat().st_size)
                    for name in os.listdir(folder)
                    if name != _SEEN
                )
                for folder in self._folders(owner)
            }

    def owners(self) -> Iterator[bytes]:
        """Everybody who has something here."""
        for name in os.listdir(self.root):
            with suppress(ValueError):
                owner = bytes.fromhex(name)
                if len(owner) == 33:
                    yield owner

    def forget_unseen(self, before: float) -> bool:
        """Removes slots whose store was not seen since that Unix time; whether there was one."""
        gone = False
        for owner in list(self.owners()):
            for shelved in self.slots(owner):
                if shelved.seen < before:
                    gone = True
                    with _faults(self.root):
                        shutil.rmtree(self.folder(owner) / shelved.slot.hex())
            with _faults(self.root):
                if not self._folders(owner):
                    shutil.rmtree(self.folder(owner))
        return gone

    def _folders(self, owner: bytes) -> list[Path]:
        home = self.folder(owner)
        return [path for path in home.iterdir() if path.is_dir()] if home.is_dir() else []

    def _numbers(self, owner: bytes, slot: bytes) -> list[int]:
        folder = self.folder(owner) / slot.hex()
        if not folder.is_dir():
            return []
        return sorted(int(name) for name in os.listdir(folder) if _is_number(name))

    def _file(self, owner: bytes, slot: bytes, number: int) -> Path:
        return self.folder(owner) / slot.hex() / str(number).zfill(_DIGITS)


def _is_number(name: str) -> bool:
    return len(name) == _DIGITS and name.isascii() and name.isdigit()


def _write(file: Path, data: bytes) -> None:
    """On disk when it returns; what came of a failure does not lie about on a disk that is full."""
    fresh = file.with_suffix(".new")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _faults:
    """What the disk does, as a fault of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            reason = error.strerror or type(error).__name__
            raise ShelfBroken(str(self._path), reason) from error
