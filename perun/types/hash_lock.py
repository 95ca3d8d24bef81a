"""The hash time lock (protocol, section 4)."""

from __future__ import annotations

from typing import NewType

from perun import checks
from perun.types.quantities import (
    InstanceId,
    Preimage,
    Record,
    Salt,
    UnixTime,
    Wei,
)

__all__ = ["Lock", "LockId", "LockRecord"]

LockId = NewType("LockId", InstanceId)
"""An instance of the hash time lock."""


class Lock(Record, frozen=True, gc=False, tag=2):
    """The fixed terms of a hash time lock; their hash is its id (protocol, section 4)."""

    amount: Wei
    """What moves if the preimage is revealed."""
    bob_pays: bool
    """Whether it moves from the instance's Bob to its Alice, else from Alice to Bob."""
    hash: bytes
    """keccak256 of the 32 bytes of the preimage."""
    deadline: UnixTime
    """Last second at which the preimage may be revealed; also the final time. uint40."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.amount("amount", self.amount)
        checks.boolean("bob_pays", self.bob_pays)
        checks.length("hash", self.hash, 32)
        checks.unsigned("deadline", self.deadline, 40)
        checks.length("salt", self.salt, 32)


class LockRecord(Record, frozen=True, gc=False, tag=2):
    """What the chain has recorded of a hash time lock: it was revealed (section 4)."""

    preimage: Preimage
