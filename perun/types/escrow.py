"""The deal in escrow (protocol, section 4)."""

from __future__ import annotations

from typing import NewType

from perun import checks
from perun.types.quantities import (
    Address,
    InstanceId,
    Record,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)

__all__ = ["Award", "Deal", "DealId", "DealRecord"]

DealId = NewType("DealId", InstanceId)
"""An instance of the escrow."""


class Deal(Record, frozen=True, gc=False, tag=5):
    """The fixed terms of a deal in escrow; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs for the instance's Alice."""
    bob: Address
    """Address of the key that signs for its Bob."""
    arbiter: Address
    """Address of the key that may award any part of the locks; zeros: nobody may."""
    alice_lock: Wei
    """Most that can move from Alice."""
    bob_lock: Wei
    """Most that can move from Bob."""
    late_shift: Wei
    """What moves from Alice to Bob if nobody has said anything by `due`; 0: nothing."""
    due: UnixTime
    """Last second before the late rule counts; uint40."""
    validity: UnixTime
    """Last second for the first evidence; uint40."""
    challenge: Seconds
    """How long better evidence may come after the first; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.length("arbiter", self.arbiter, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.signed_amount("late_shift", self.late_shift)
        checks.unsigned("due", self.due, 40)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


class DealRecord(Record, frozen=True, gc=False, tag=5):
    """What the chain has recorded of a deal in escrow (section 4)."""

    rank: int
    """0 the late rule, 1 an award, 2 two awards that differ, 3 an agreement."""
    shift: Wei
    """What moves from Alice to Bob unless better evidence comes."""
    deadline: UnixTime
    """Last second for that."""


class Award(Record, frozen=True, gc=False):
    """So much of a deal's locks moves: signed by its arbiter, or by both parties (section 4)."""

    deal: DealId
    shift: Wei
    """From Alice to Bob; negative the other way."""

    def __post_init__(self) -> None:
        checks.length("deal", self.deal, 32)
        checks.signed_amount("shift", self.shift)
