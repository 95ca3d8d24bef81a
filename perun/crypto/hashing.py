"""keccak-256, the hash of Ethereum (not NIST's SHA3-256)."""

from __future__ import annotations

# safe-pysha3 takes 0.7 µs for 64 bytes; pycryptodome, which eth_hash picks by default, 3.6 µs.
from sha3 import keccak_256


def keccak(data: bytes) -> bytes:
    """32 bytes: the keccak-256 hash of `data`."""
    digest: bytes = keccak_256(data).digest()
    return digest
