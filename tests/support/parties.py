"""The cast: each has an account, which owns money, and a separate key, which signs."""

from __future__ import annotations

from dataclasses import dataclass

from eth_hash.auto import keccak

from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.types import Digest


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a channel."""

    name: str
    account: bytes
    """20 bytes; may be a contract."""
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
