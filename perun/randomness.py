"""Fresh secrets and numbers from the system's randomness; the only place that draws any."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from perun.crypto import SecretKey
from perun.crypto.interop import eth_private_key
from perun.types import Nonce, Preimage, Salt

if TYPE_CHECKING:
    from eth_keys import datatypes as eth_keys

__all__ = ["new_key", "new_nonce", "new_preimage", "new_salt"]


def new_key() -> eth_keys.PrivateKey:
    """A private key: a session key for one channel or machine, say.

    Raises:
        BadKey: never in practice: one draw in 2**127 is no key of secp256k1.
    """
    return eth_private_key(SecretKey(secrets.token_bytes(32)))


def new_nonce() -> Nonce:
    """A uint64 for a new `Channel`, so that no id is used twice (protocol, section 3)."""
    return Nonce(secrets.randbits(64))


def new_salt() -> Salt:
    """32 bytes for a new `Machine` or `Lock` (protocol, section 4).

    The salt of a machine between two parties is the hash of what both have drawn.
    """
    return Salt(secrets.token_bytes(32))


def new_preimage() -> Preimage:
    """32 secret bytes whose `keccak` a `Lock` names (protocol, section 4)."""
    return Preimage(secrets.token_bytes(32))
