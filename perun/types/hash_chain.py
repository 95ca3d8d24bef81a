"""The stream: its terms, what is recorded of it, and what its payer signs."""

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

__all__ = ["Chain", "Stream", "StreamId", "StreamRecord"]

StreamId = NewType("StreamId", InstanceId)
"""An instance of the hash chain."""


class Stream(Record, frozen=True, gc=False, tag=7):
    """The fixed terms of a stream; their hash is its id (protocol, section 4)."""

    payer: Address
    """Address of the key that signs its hash chains."""
    lock: Wei
    """Most that can move."""
    tick: Wei
    """What one hash pays."""
    bob_pays: bool
    """Whether it moves from the instance's Bob to its Alice, else from Alice to Bob."""
    validity: UnixTime
    """Last second for the first evidence; uint40."""
    challenge: Seconds
    """How long more may be shown after the first; uint32."""
    salt: Salt
    """Random, so that no id is used twice."""

    def __post_init__(self) -> None:
        checks.length("payer", self.payer, 20)
        checks.amount("lock", self.lock)
        checks.amount("tick", self.tick)
        checks.boolean("bob_pays", self.bob_pays)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


class StreamRecord(Record, frozen=True, gc=False, tag=7):
    """What the chain has recorded of a stream (section 4)."""

    total: Wei
    """What moves from its payer unless more is shown."""
    deadline: UnixTime
    """Last second for that."""


class Chain(Record, frozen=True, gc=False):
    """A chain of hashes that pays a stream's ticks: signed by its payer (section 4)."""

    stream: StreamId
    base: Wei
    """What was paid before its first tick."""
    root: bytes
    """32 bytes, of which each tick is worth one step back."""

    def __post_init__(self) -> None:
        checks.length("stream", self.stream, 32)
        checks.amount("base", self.base)
        checks.length("root", self.root, 32)
