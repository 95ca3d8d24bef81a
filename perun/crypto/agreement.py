"""The two operations of a handshake beside hashes: a common secret, and a cipher."""

from __future__ import annotations

from typing import Final

from perun.crypto.backend import BACKEND

__all__ = ["Cipher", "TAG_BYTES", "public_key_of", "shared_secret"]

TAG_BYTES: Final = 16
"""By how much a box is longer than what is in it."""


def public_key_of(secret: bytes) -> bytes:
    """33 bytes: the compressed public key of a secret."""
    data = BACKEND.serialize_key(BACKEND.public_key(secret))
    return bytes((2 + (data[63] & 1),)) + data[:32]


def shared_secret(secret: bytes, public: bytes) -> bytes:
    """SHA-256 of the compressed point that both sides can compute (ECDH on secp256k1).

    Raises:
        ValueError: `public` is not the 33 bytes of a compressed public key.
    """
    if len(public) != 33:
        raise ValueError("not a compressed public key")
    return BACKEND.shared_secret(secret, public)


class Cipher:
    """ChaCha20-Poly1305 under one key, with a counter as nonce (RFC 8439, Noise)."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = BACKEND.Box(key)

    def seal(self, number: int, data: bytes, beside: bytes | None = None) -> bytes:
        """A box of `data`, 16 bytes longer, that also vouches for `beside`."""
        return self._cipher.encrypt(b"\0\0\0\0" + number.to_bytes(8, "little"), data, beside)

    def open(self, number: int, box: bytes, beside: bytes | None = None) -> bytes | None:
        """What is in a box; None if it was not made with this key, number and `beside`."""
        return self._cipher.decrypt(b"\0\0\0\0" + number.to_bytes(8, "little"), box, beside)
