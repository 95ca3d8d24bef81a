"""Cashing a hash time lock: off chain if the payer follows, else on chain in time (section 4).

In a channel of two the receiver proposes the removal with the secret; over a hub too, which pays by
rule (c) and is paid in turn by rule (d). If nobody answers, `evidence.duties` reveals on chain.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandReveal
from perun.core.nanocontracts.hash_lock import payer_of_lock
from perun.core.rules.phases import blocked
from perun.core.state import ChannelView, LegStatus
from perun.core.virtual.leaving import propose_removal
from perun.crypto.hashing import keccak

__all__ = ["reveal"]


def reveal(draft: Draft, view: ChannelView, command: CommandReveal) -> None:
    """Our user knows the secret: keep it, and propose the removal that pays us."""
    instance, preimage = draft.instance(command.instance), command.preimage
    lock = instance.lock
    if lock is None or keccak(preimage) != lock.hash:
        raise NotAllowedNow("reveal", "this is not the secret of a lock of ours")
    if instance.role is not payer_of_lock(lock).other:
        raise NotAllowedNow("reveal", "the other side is paid by it")
    draft.put(replace(instance, preimage=preimage))
    leg = instance.legs[0]
    if leg.status is LegStatus.LISTED and blocked(draft, view) is None:
        propose_removal(draft, instance.id)
