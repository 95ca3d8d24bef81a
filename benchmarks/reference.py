"""What the hardware allows: libsecp256k1 through coincurve, on one core, and nothing else.

Every speed is stated as a ratio to this, measured in the same run just before and after, because a
machine's clock, its neighbours and its cores change the one as they change the other. The calls are
the barest there are: coincurve's own methods take 10 % longer, which would flatter the ratios.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

__all__ = ["Reference", "measure"]

_SECRET = b"\x01" * 32
_PARSED = PrivateKey(_SECRET).public_key.public_key
_CTX = GLOBAL_CONTEXT.ctx


@dataclass(frozen=True, slots=True)
class Reference:
    """Microseconds of one signature and one verification together."""

    wall: float
    cpu: float
    """Of this thread alone: what `wall` would be if nobody else wanted the core."""


def measure(pairs: int = 2_000) -> Reference:
    """Signs `pairs` different digests and verifies each, with the public key kept parsed."""
    digests = [index.to_bytes(32, "big") for index in range(1, pairs + 1)]
    wall, cpu = time.perf_counter(), time.thread_time()
    for digest in digests:
        if not _verify(digest, _sign(digest)):
            raise AssertionError("libsecp256k1 does not take its own signature")
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    return Reference(wall / pairs * 1e6, cpu / pairs * 1e6)


def _sign(digest: bytes) -> bytes:
    """`r‖s`, as bytes."""
    signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    out, recovery_id = ffi.new("unsigned char[64]"), ffi.new("int *")
    lib.secp256k1_ecdsa_sign_recoverable(_CTX, signature, digest, _SECRET, ffi.NULL, ffi.NULL)
    lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(_CTX, out, recovery_id, signature)
    return bytes(ffi.buffer(out))


def _verify(digest: bytes, rs: bytes) -> bool:
    signature = ffi.new("secp256k1_ecdsa_signature *")
    lib.secp256k1_ecdsa_signature_parse_compact(_CTX, signature, rs)
    return bool(lib.secp256k1_ecdsa_verify(_CTX, signature, digest, _PARSED))
