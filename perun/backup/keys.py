"""What comes of a phrase's backup key: who we are to a place, where we write, how it is sealed.

All of it is found from the phrase alone, and none of it says which node, account or store it is of.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

from perun.crypto import SecretKey
from perun.crypto.agreement import public_key_of

__all__ = ["BackupKeys", "SLOT_BYTES"]

SLOT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class BackupKeys:
    """Of one phrase."""

    root: bytes = field(repr=False)
    """32 bytes: the phrase's backup key."""
    owner: SecretKey = field(init=False)
    """Signs what we ask of places; a key of its own."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "owner", SecretKey(self._derived(b"perun backup owner 1")))

    @property
    def name(self) -> bytes:
        """33 bytes, the compressed public key: whose slots these are, for a place."""
        return public_key_of(self.owner.secret)

    def slot(self, number: int) -> bytes:
        """Where the store with this number is written."""
        return self._derived(b"perun backup slot 1" + number.to_bytes(4, "big"))[:SLOT_BYTES]

    def seal(self, slot: bytes) -> bytes:
        """32 bytes: the key of a slot's entries."""
        return self._derived(b"perun backup seal 1" + slot)

    def _derived(self, label: bytes) -> bytes:
        return hmac.digest(self.root, label, "sha256")
