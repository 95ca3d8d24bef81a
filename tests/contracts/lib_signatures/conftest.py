"""A digest with its signature, taken apart."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_hash.auto import keccak

from tests.support.stage import Stage

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group of secp256k1 (SEC 2)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What Alice's key has signed."""

    digest: bytes
    signer: bytes
    r: int
    s: int
    v: int

    @property
    def rsv(self) -> bytes:
        """65 bytes."""
        return self.form()

    def form(self, r: int | None = None, s: int | None = None, v: int | None = None) -> bytes:
        """65 bytes with parts replaced."""
        parts = (self.r if r is None else r, self.s if s is None else s)
        return b"".join(part.to_bytes(32, "big") for part in parts) + bytes(
            [self.v if v is None else v]
        )

    @property
    def compact(self) -> bytes:
        """64 bytes (EIP-2098): the parity of `v` is the top bit of `s`."""
        return self.rsv[:32] + (self.s | (self.v - 27) << 255).to_bytes(32, "big")


def signed_with(stage: Stage, v: int) -> Signed:
    """Of the first few digests, some get 27, some 28."""
    digests = (keccak(bytes([number])) for number in range(50))
    digest = next(digest for digest in digests if stage.alice.sign(digest)[64] == v)
    rsv = stage.alice.sign(digest)
    r, s = int.from_bytes(rsv[:32], "big"), int.from_bytes(rsv[32:64], "big")
    return Signed(digest, stage.alice.key.address, r, s, rsv[64])


@pytest.fixture(params=[27, 28])
def signed(request: pytest.FixtureRequest, stage: Stage) -> Signed:
    """A signature of either parity."""
    return signed_with(stage, request.param)


@pytest.fixture
def one(stage: Stage) -> Signed:
    """Just one, for tests that go through many cases."""
    return signed_with(stage, 28)
