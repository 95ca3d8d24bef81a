"""keccak-256, the hash of Ethereum (not NIST's SHA3-256)."""

from __future__ import annotations

from perun.crypto.backend import BACKEND

__all__ = ["keccak"]

keccak = BACKEND.keccak
"""32 bytes: the keccak-256 hash of the data."""
