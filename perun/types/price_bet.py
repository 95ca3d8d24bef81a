"""The bet on a price: its terms, what is recorded of it, and what its reporter signs."""

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

__all__ = ["Bet", "BetId", "BetRecord", "Price"]

BetId = NewType("BetId", InstanceId)
"""An instance of the bet on a price."""


class Bet(Record, frozen=True, gc=False, tag=8):
    """The fixed terms of a bet on a price; their hash is its id (protocol, section 4)."""

    oracle: Address
    """Address of the key of the reporter, who signs the price."""
    feed: bytes
    """32 bytes: what is priced, as the reporter names it."""
    time: UnixTime
    """The second whose price counts; uint40."""
    strike: Wei
    """The price at which nothing moves, in the feed's own unit."""
    slope: Wei
    """What moves from Alice to Bob for `scale` above it; negative: from Bob to Alice."""
    scale: Wei
    """In the feed's unit; not zero."""
    alice_lock: Wei
    """Most that can move from Alice."""
    bob_lock: Wei
    """Most that can move from Bob."""
    validity: UnixTime
    """Last second for the first price; uint40."""
    challenge: Seconds
    """How long another price may make it void after the first; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("oracle", self.oracle, 20)
        checks.length("feed", self.feed, 32)
        checks.unsigned("time", self.time, 40)
        checks.signed_amount("strike", self.strike)
        checks.signed_amount("slope", self.slope)
        checks.amount("scale", self.scale)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


class BetRecord(Record, frozen=True, gc=False, tag=8):
    """What the chain has recorded of a bet (section 4)."""

    void: bool
    """Whether two prices have contradicted each other."""
    shift: Wei
    """What moves from Alice to Bob unless another price comes."""
    deadline: UnixTime
    """Last second for that."""


class Price(Record, frozen=True, gc=False):
    """What something costs at a second: signed by a reporter, for bets anywhere (section 4)."""

    feed: bytes
    """32 bytes: what is priced."""
    time: UnixTime
    price: Wei
    """In the feed's own unit; may be negative."""

    def __post_init__(self) -> None:
        checks.length("feed", self.feed, 32)
        checks.unsigned("time", self.time, 40)
        checks.signed_amount("price", self.price)
