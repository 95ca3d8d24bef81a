"""Who owns money under the contracts, by hand: an account, and a separate key that signs."""

from __future__ import annotations

from dataclasses import dataclass

from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.crypto.signatures import sign
from perun.types import Address, Digest

__all__ = ["Owner", "session_key"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody in a channel, without a node."""

    name: str
    account: Address
    """May be a contract."""
    key: SecretKey
    """Session key, different from the account's."""
    account_key: SecretKey | None = None
    """The account's own key; None if the account is a contract."""

    def sign(self, digest: bytes) -> bytes:
        """65 bytes by the session key."""
        return sign(Digest(digest), self.key)

    def sign_with_account(self, digest: bytes) -> bytes:
        """65 bytes by the account's own key."""
        assert self.account_key is not None, f"{self.name}'s account is a contract"
        return sign(Digest(digest), self.account_key)

    def __repr__(self) -> str:
        return self.name


def session_key(name: str) -> SecretKey:
    """A key known to everybody, for tests only."""
    return SecretKey(keccak(f"session key of {name}".encode()))
