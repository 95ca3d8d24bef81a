"""The coin flip (protocol, section 4)."""

from __future__ import annotations

from typing import NewType

from perun import checks
from perun.types.quantities import (
    InstanceId,
    Record,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["Flip", "FlipId", "FlipRecord"]

FlipId = NewType("FlipId", InstanceId)
"""An instance of the coin flip."""


class Flip(Record, frozen=True, gc=False, tag=3):
    """The fixed terms of a coin flip; their hash is its id (protocol, section 4)."""

    alice_lock: Wei
    """What the instance's Alice pays if she loses."""
    bob_lock: Wei
    """What Bob pays if he loses."""
    alice_commit: bytes
    """`keccak256(abi.encode(false, secret))` of Alice's 32 random bytes."""
    bob_commit: bytes
    """`keccak256(abi.encode(true, secret))` of Bob's."""
    odds: int
    """Alice loses in so many of 65,536 cases; uint16."""
    validity: UnixTime
    """Last second at which a first secret may be revealed. uint40."""
    window: Seconds
    """How long the other may take to follow; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.length("alice_commit", self.alice_commit, 32)
        checks.length("bob_commit", self.bob_commit, 32)
        checks.unsigned("odds", self.odds, 16)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("window", self.window, 32)
        checks.length("salt", self.salt, 32)


class FlipRecord(Record, frozen=True, gc=False, tag=3):
    """What the chain has recorded of a coin flip, or of two hands: one secret or both are public
    (section 4)."""

    alice: bytes
    """Alice's secret; empty if she has not revealed it."""
    bob: bytes
    """Bob's."""
    deadline: UnixTime
    """Last second for the second one."""
