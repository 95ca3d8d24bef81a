"""Rock, paper, scissors (protocol, section 4)."""

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

__all__ = ["Hands", "HandsId"]

HandsId = NewType("HandsId", InstanceId)
"""An instance of rock, paper, scissors."""


class Hands(Record, frozen=True, gc=False, tag=6):
    """The fixed terms of a game of rock, paper, scissors; their hash is its id (section 4)."""

    alice_lock: Wei
    """What the instance's Alice pays if she loses."""
    bob_lock: Wei
    """What Bob pays if he loses."""
    alice_commit: bytes
    """`keccak256(abi.encode(false, secret))` of Alice's 32 bytes, whose last one modulo 3 is her
    hand: 0 rock, 1 paper, 2 scissors."""
    bob_commit: bytes
    """`keccak256(abi.encode(true, secret))` of Bob's."""
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
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("window", self.window, 32)
        checks.length("salt", self.salt, 32)
