"""Key pairs of the hot path: parsed once, used often."""

from __future__ import annotations

from functools import lru_cache

from perun.crypto.backend import BACKEND, ParsedKey
from perun.crypto.hashing import keccak
from perun.errors import BadKey
from perun.types import Address


@lru_cache(4_096)
def address_of(key: bytes) -> Address:
    """How channels and machines name a public key; raises `BadKey`.

    Kept, since parsing takes long.
    """
    return PublicKey(key).address


class PublicKey:
    """A public key, kept parsed; equal by its bytes."""

    __slots__ = ("address", "data", "parsed")

    address: Address
    """Last 20 bytes of the hash of `data`: how channels and machines name the key."""
    data: bytes
    """64 bytes `x‖y`."""
    parsed: ParsedKey

    def __init__(self, data: bytes) -> None:
        """Parses 64 bytes `x‖y`, or 33 compressed.

        Raises:
            BadKey: no point of the curve.
        """
        parsed = BACKEND.parse_key(b"\x04" + data if len(data) == 64 else data)
        if parsed is None:
            raise BadKey("public")
        self._keep(parsed)

    @classmethod
    def from_parsed(cls, parsed: ParsedKey) -> PublicKey:
        """Keeps what the backend has parsed or recovered."""
        key = object.__new__(cls)
        key._keep(parsed)
        return key

    def _keep(self, parsed: ParsedKey) -> None:
        self.parsed = parsed
        self.data = BACKEND.serialize_key(parsed)
        self.address = Address(keccak(self.data)[12:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"PublicKey(0x{self.data.hex()})"


class SecretKey:
    """A private key with what is computed from it once. `repr` shows the address only."""

    __slots__ = ("address", "public_key", "secret")

    address: Address
    public_key: PublicKey
    secret: bytes
    """32 bytes; never logged, never part of a message."""

    def __init__(self, secret: bytes) -> None:
        """Takes 32 bytes.

        Raises:
            BadKey: zero, not below the group's order, or another length.
        """
        if not BACKEND.is_secret(secret):
            raise BadKey("private")
        self.secret = bytes(secret)
        self.public_key = PublicKey.from_parsed(BACKEND.public_key(self.secret))
        self.address = self.public_key.address

    def __repr__(self) -> str:
        return f"SecretKey(of 0x{self.address.hex()})"
