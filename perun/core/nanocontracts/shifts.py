"""What kinds share that end in one shift: who proposes the removal, and how it names the shift."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.faults import BadProposal, InstanceRejected
from perun.core.limits import Limits
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Role
from perun.encoding.messages import Propose
from perun.types import UnixTime, Wei

__all__ = ["check_times", "named_part", "named_totals", "proposes", "saying"]


def check_times(limits: Limits, end: UnixTime, seconds: int, what: str = "challenge") -> None:
    """Raises `InstanceRejected` for a final time that no record holds, or for too short or too long
    a challenge."""
    if end >= 2**34:
        raise InstanceRejected("its final time does not fit the record [B6]")
    if not limits.least_machine_challenge <= seconds <= limits.greatest_challenge:
        raise InstanceRejected(f"its {what} of {seconds} s is outside our limits")


def proposes(instance: InstanceView, shift: Wei) -> bool:
    """Whether it is for us, an end, to propose the removal at a shift that both know.

    In a channel of two, the one who is paid proposes, or Alice if nobody is; a hub wants to hear it
    from both.
    """
    assert instance.role is not None
    paid = gain(instance.role, shift)
    return bool(instance.via) or paid > 0 or (paid == 0 and instance.role is Role.ALICE)


def saying(message: Propose, role: Role, shift: Wei) -> Propose:
    """The removal, with what each side pays by the shift: to a hub, which knows no evidence."""
    paid, received = max(shift, 0), max(-shift, 0)
    if role is Role.BOB:
        paid, received = received, paid
    return replace(message, paid=Wei(paid), received=Wei(received))


def named_totals(message: Propose, peer: Role) -> tuple[Wei, Wei]:
    """Hub: what the instance's Alice and Bob pay by what its `peer` says."""
    paid, received = message.paid, message.received
    return (paid, received) if peer is Role.ALICE else (received, paid)


def named_part(
    message: Propose, peer: Role, locks: tuple[Wei, Wei], what: str
) -> tuple[Wei, tuple[Wei, Wei]]:
    """Hub: the shift that a removal names, and by which totals, where one side pays a part of its
    lock. What both ends say alike a hub pays on, and no more.

    Raises:
        BadProposal: both pay, or one more than its lock.
    """
    totals = named_totals(message, peer)
    if min(totals) or totals[0] > locks[0] or totals[1] > locks[1]:
        raise BadProposal(f"no {what}")
    return Wei(totals[0] - totals[1]), totals
