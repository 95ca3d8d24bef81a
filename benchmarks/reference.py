"""What the hardware allows: libsecp256k1 through coincurve, on one core, and nothing else.

Every speed is stated as a ratio to this, measured in the same run just before and after, because a
machine's clock, its neighbours and its cores change the one as they change the other. The calls are
the barest there are: coincurve's own methods take 10 % longer, which would flatter the ratios.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from perun.crypto import SecretKey, secp256k1

__all__ = ["Reference", "measure"]

_KEY = SecretKey(b"\x01" * 32)


@dataclass(frozen=True, slots=True)
class Reference:
    """Microseconds of one signature and one verification together."""

    wall: float
    cpu: float
    """Of this thread alone: what `wall` would be if nobody else wanted the core."""


def measure(pairs: int = 2_000) -> Reference:
    """Signs `pairs` different digests and verifies each, with the public key kept parsed."""
    digests = [index.to_bytes(32, "big") for index in range(1, pairs + 1)]
    secret, parsed = _KEY.secret, _KEY.public_key.parsed
    wall, cpu = time.perf_counter(), time.thread_time()
    for digest in digests:
        if not secp256k1.verify(digest, secp256k1.sign(digest, secret)[0], parsed):
            raise AssertionError("libsecp256k1 does not take its own signature")
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    return Reference(wall / pairs * 1e6, cpu / pairs * 1e6)
