"""Sealed boxes between two ends: what a hub relays it cannot read (protocol, section 6).

Both ends' keys agree on a secret (ECDH on secp256k1), from which each direction has a key of its
own; a box is a random nonce and ChaCha20-Poly1305 (RFC 8439). Only the two ends can make one, so an
opened box proves its sender; the keys are those that sign for the machine.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import ClassVar

from coincurve import PrivateKey
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from perun.core.state import PeerId
from perun.errors import PeerFault

__all__ = ["BoxSealer", "Unsealable"]

_NONCE = 12
_MOST_CIPHERS = 65_536


@dataclass(eq=False)
class Unsealable(PeerFault):
    """A box that its stated sender did not make for us."""

    length: int

    template: ClassVar[str] = "a sealed box of {length} bytes does not open"
    hint: ClassVar[str] = "the hub, or somebody else, has tampered with it"


class BoxSealer:
    """Seals and opens with one secret key."""

    def __init__(self, secret: bytes) -> None:
        self._key = PrivateKey(secret)
        self._own: PeerId = self._key.public_key.format(compressed=True)
        self._ciphers: dict[tuple[PeerId, PeerId], ChaCha20Poly1305] = {}

    def seal(self, receiver: PeerId, message: bytes) -> bytes:
        """See `perun.ports.Sealer`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher(self._own, receiver).encrypt(nonce, message, None)

    def open(self, sender: PeerId, box: bytes) -> bytes:
        """See `perun.ports.Sealer`."""
        try:
            return self._cipher(sender, self._own).decrypt(box[:_NONCE], box[_NONCE:], None)
        except (InvalidTag, ValueError):
            raise Unsealable(len(box)) from None

    def _cipher(self, sender: PeerId, receiver: PeerId) -> ChaCha20Poly1305:
        cipher = self._ciphers.get((sender, receiver))
        if cipher is None:
            other = receiver if sender == self._own else sender
            shared = self._key.ecdh(other)
            key = hashlib.sha256(b"perun relay 1" + sender + receiver + shared).digest()
            cipher = ChaCha20Poly1305(key)
            if len(self._ciphers) >= _MOST_CIPHERS:
                self._ciphers.clear()
            self._ciphers[sender, receiver] = cipher
        return cipher
