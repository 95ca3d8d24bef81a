"""Signatures and records that must not count, and other forms of those that must."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from perun.types import (
    Signature,
)


def compact(signature: Signature, rng: Random) -> Signature:
    """The same signature in another allowed form: v of 0/1, or 64 bytes (EIP-2098)."""
    if len(signature) != 65:
        return signature
    form, odd = rng.randrange(4), signature[64] - 27
    if form == 0:
        return Signature(signature[:64] + bytes([odd]))
    if form == 1:
        s = int.from_bytes(signature[32:64], "big") | odd << 255
        return Signature(signature[:32] + s.to_bytes(32, "big"))
    return signature


def spoiled(signature: Signature, rng: Random) -> Signature:
    """A signature that must not count: high s, wrong length, wrong v, another message, nothing."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    if len(signature) != 65:
        return Signature(rng.randbytes(rng.choice((1, 64, 65, 66))))
    s = int.from_bytes(signature[32:64], "big")
    return Signature(
        rng.choice(
            (
                signature[:32] + (order - s).to_bytes(32, "big") + bytes([55 - signature[64]]),
                signature[:64],
                signature + b"\0",
                signature[:64] + bytes([signature[64] + 2]),
                signature[:64] + b"\x02",
                bytes([signature[0] ^ 1]) + signature[1:],
                bytes(65),
                b"",
            )
        )
    )


def too_large(lock: Any) -> Any:
    """A lock whose amount has 112 bits: no record may hold it, so it is forced into one."""
    copy = msgspec.structs.replace(lock)
    msgspec.structs.force_setattr(copy, "amount", 2**111 + 7)
    return copy
