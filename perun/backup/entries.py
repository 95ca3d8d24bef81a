"""An entry: what one increment, or a whole snapshot, is to the place that keeps it.

    number 8 ‖ after 8 ‖ link 32 ‖ nonce 12 ‖ ChaCha20-Poly1305(content)

`number` counts the store's commits, so a later one is of a later moment whoever wrote it. `after`
is the number of the entry that it continues and `link` that entry's SHA-256; both are zero in a
snapshot. All of it, and the slot, are authenticated by the seal: a place can leave out the newest
entries, and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final

from perun.backup.keys import BackupKeys
from perun.crypto.backend import BACKEND
from perun.errors import PeerFault

__all__ = ["BadEntry", "Entry", "Standing", "chain", "open_entry", "seal_entry"]

_ABOUT: Final = b"perun backup 1"
_HEAD: Final = 48
_NONCE: Final = 12
_TAG: Final = 16
LEAST_BYTES: Final = _HEAD + _NONCE + _TAG
NO_LINK: Final = bytes(32)


@dataclass(eq=False)
class BadEntry(PeerFault):
    """Bytes of a place that are no entry of ours."""

    reason: str

    template: ClassVar[str] = "no entry of this backup: {reason}"
    hint: ClassVar[str] = "the place has damaged or forged it: ask another"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which entry is the newest of a slot."""

    number: int
    hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One, as a place sees it."""

    number: int
    after: int
    """Number of the entry that it continues; 0: a snapshot."""
    link: bytes
    """… and its hash."""
    data: bytes
    """All of it, these included."""

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """Raises `BadEntry`."""
        if len(data) < LEAST_BYTES:
            raise BadEntry(f"{len(data)} bytes")
        number, after = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big")
        link = data[16:_HEAD]
        if not after < number < 2**63 or (after == 0) is not (link == NO_LINK):
            raise BadEntry(f"number {number} after {after}")
        return cls(number, after, link, data)

    @property
    def standing(self) -> Standing:
        """As the newest of its slot."""
        return Standing(self.number, sha256(self.data).digest())

    def follows(self, newest: Standing | None) -> bool:
        """Whether it may come next."""
        if newest is None or self.after == 0:
            return self.after == 0 and (newest is None or self.number > newest.number)
        return (self.after, self.link) == (newest.number, newest.hash)


def seal_entry(
    keys: BackupKeys, slot: bytes, number: int, after: Standing | None, content: bytes
) -> Entry:
    """An entry with this content.

    Args:
        after: what it continues; None: it is a snapshot.
    """
    before, link = (0, NO_LINK) if after is None else (after.number, after.hash)
    head = number.to_bytes(8, "big") + before.to_bytes(8, "big") + link
    nonce = secrets.token_bytes(_NONCE)
    sealed = BACKEND.Box(keys.seal(slot)).encrypt(nonce, content, _ABOUT + slot + head)
    return Entry(number, before, link, head + nonce + sealed)


def open_entry(keys: BackupKeys, slot: bytes, entry: Entry) -> bytes:
    """The content that we have sealed.

    Raises:
        BadEntry: we have not.
    """
    head, nonce = entry.data[:_HEAD], entry.data[_HEAD : _HEAD + _NONCE]
    content = BACKEND.Box(keys.seal(slot)).decrypt(
        nonce, entry.data[_HEAD + _NONCE :], _ABOUT + slot + head
    )
    if content is None:
        raise BadEntry(f"number {entry.number} is not sealed by this phrase")
    return content


def chain(entries: Iterable[Entry]) -> list[Entry]:
    """The newest snapshot and what continues it without a gap."""
    ordered = sorted(entries, key=lambda entry: entry.number)
    snapshots = [place for place, entry in enumerate(ordered) if entry.after == 0]
    if not snapshots:
        return []
    found = [ordered[snapshots[-1]]]
    for entry in ordered[snapshots[-1] + 1 :]:
        if entry.follows(found[-1].standing):
            found.append(entry)
    return found
