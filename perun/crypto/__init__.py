"""Hashing, keys and signatures: pure functions over bytes, at the full speed of libsecp256k1.

This is the hot path. Scripts use `perun.sign` and `perun.signer` instead, which take and return
`eth_keys` objects; tests compare the two, and both with `eth_account`.
"""

from perun.crypto.hashing import keccak
from perun.crypto.keys import PublicKey, SecretKey
from perun.crypto.signatures import (
    canonical,
    recover,
    recover_key,
    sign,
    verify,
    verify_loosely,
    verify_with,
    with_true_v,
)

__all__ = [
    "PublicKey",
    "SecretKey",
    "canonical",
    "keccak",
    "recover",
    "recover_key",
    "sign",
    "verify",
    "verify_loosely",
    "verify_with",
    "with_true_v",
]
