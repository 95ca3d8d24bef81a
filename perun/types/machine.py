"""The payment machine (protocol, section 4)."""

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

__all__ = ["Machine", "MachineId", "MachineRecord", "Ready", "Statement"]

MachineId = NewType("MachineId", InstanceId)
"""An instance of the virtual payment machine."""


class Machine(Record, frozen=True, gc=False, tag=1):
    """The fixed terms of a payment machine; their hash is its id (protocol, section 4)."""

    alice: Address
    """Address of the key that signs the instance's Alice's statements."""
    bob: Address
    """Address of the key that signs the instance's Bob's statements."""
    alice_lock: Wei
    """Most that Alice may lose on balance; 0: she pays nothing."""
    bob_lock: Wei
    """Most that Bob may lose on balance; 0: he pays nothing."""
    validity: UnixTime
    """Last second at which a first statement may be submitted. uint40."""
    challenge: Seconds
    """How long totals may rise after the first submission; uint32."""
    salt: Salt
    """Hash of random numbers of both ends."""

    def __post_init__(self) -> None:
        checks.length("alice", self.alice, 20)
        checks.length("bob", self.bob, 20)
        checks.amount("alice_lock", self.alice_lock)
        checks.amount("bob_lock", self.bob_lock)
        checks.unsigned("validity", self.validity, 40)
        checks.unsigned("challenge", self.challenge, 32)
        checks.length("salt", self.salt, 32)


class MachineRecord(Record, frozen=True, gc=False, tag=1):
    """What the chain has recorded of a payment machine since the first submission (section 4)."""

    paid_by_alice: Wei
    paid_by_bob: Wei
    deadline: UnixTime
    """Last second for higher totals."""


class Statement(Record, frozen=True, gc=False):
    """I have paid you this much in total: signed by the payer's key alone (section 4)."""

    machine: MachineId
    paid: Wei
    """Total over the machine's life."""

    def __post_init__(self) -> None:
        checks.length("machine", self.machine, 32)
        checks.amount("paid", self.paid)


class Ready(Record, frozen=True, gc=False):
    """My channel's state with this machine is signed: by the machine key (section 5, Paying)."""

    machine: MachineId

    def __post_init__(self) -> None:
        checks.length("machine", self.machine, 32)
