"""What is said to a place and answered, as bytes of one POST (protocol, section 12).

A request is signed by its owner's key over what it asks and when. To hear one again changes
nothing: an entry that is there already is there, and what is read is sealed.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from perun.backup.entries import Standing
from perun.backup.keys import SLOT_BYTES, BackupKeys
from perun.crypto import PublicKey, sign, verify_with
from perun.encoding.wire_data import backup_digest
from perun.errors import BadKey
from perun.nesting import is_deep_msgpack
from perun.types import Signature

__all__ = ["Answer", "BACKUP_PATH", "MOST_ENTRY", "MOST_READ", "Request", "SlotAnswer"]

BACKUP_PATH: Final = "/backup"
MOST_ENTRY: Final = 16 * 2**20
"""Bytes of an entry: a hub with ten thousand channels has less."""
MOST_READ: Final = 4 * 2**20
"""Bytes of entries in one answer, unless the first alone is more."""
SKEW: Final = 600
"""Seconds by which an asker's clock may differ from a place's."""

Action = Literal["put", "newest", "slots", "read"]


class Request(msgspec.Struct, frozen=True, array_like=True):
    """One question."""

    version: int
    action: Action
    owner: bytes
    at: int
    """Unix time."""
    slot: bytes
    """16 bytes; zeros for `slots`."""
    content: bytes
    """`put`: the entry; `read`: after which number, 8 bytes; else empty."""
    signature: bytes

    @classmethod
    def sign(
        cls, keys: BackupKeys, action: Action, at: int, slot: bytes, content: bytes = b""
    ) -> Request:
        """By the owner."""
        digest = backup_digest(action, at, slot, content)
        return cls(1, action, keys.name, at, slot, content, sign(digest, keys.owner))

    @classmethod
    def parse(cls, data: bytes) -> Request:
        """Raises `ValueError`: not one that its owner has signed."""
        if is_deep_msgpack(data, _MOST_THINGS):
            raise ValueError("nested too deep")
        try:
            found = _requests.decode(data)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None
        if found.version != 1 or not 0 <= found.at < 2**40 or len(found.slot) != SLOT_BYTES:
            raise ValueError("another version, or a field out of range")
        try:
            key = PublicKey(found.owner)
        except BadKey:
            raise ValueError("the owner is no public key") from None
        digest = backup_digest(found.action, found.at, found.slot, found.content)
        if len(found.owner) != 33 or not verify_with(digest, Signature(found.signature), key):
            raise ValueError("the signature is not its owner's")
        return found


class SlotAnswer(msgspec.Struct, frozen=True, array_like=True):
    """A slot, as its owner is told of it."""

    slot: bytes
    number: int
    idle: int
    """Seconds since its store asked or wrote."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a place answers."""

    refused: str = ""
    """Why it does not do it; empty: done."""
    number: int = 0
    """Newest entry of the slot, also where an entry was refused; 0: none."""
    hash: bytes = b""
    slots: tuple[SlotAnswer, ...] = ()
    entries: tuple[bytes, ...] = ()

    @property
    def standing(self) -> Standing | None:
        """The newest entry."""
        return Standing(self.number, self.hash) if self.number else None


_MOST_THINGS: Final = 64
"""In a request: itself, and its fields."""
_requests: Final = msgspec.msgpack.Decoder(Request)
