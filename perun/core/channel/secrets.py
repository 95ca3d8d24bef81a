"""Cashing a hash time lock: off chain if the payer follows, else on chain in time (section 4).

In a channel of two the receiver proposes the removal with the secret; over a hub too, which pays by
rule (c) and is paid in turn by rule (d). If nobody answers, `evidence.duties` reveals on chain.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import NotAllowedNow
from perun.core.nanocontracts.hash_lock import payer_of_lock
from perun.core.rules.phases import blocked
from perun.core.state import InstanceView, LegStatus
from perun.core.virtual.leaving import propose_removal
from perun.crypto.hashing import keccak
from perun.types import Preimage

__all__ = ["reveal"]


def reveal(draft: Draft, instance: InstanceView, preimage: Preimage) -> None:
    """Our user knows the secret: keep it, and propose the removal that pays us."""
    lock = instance.lock
    if lock is None or keccak(preimage) != lock.hash:
        raise NotAllowedNow("reveal", "this is not the secret of a lock of ours")
    if instance.role is not payer_of_lock(lock).other:
        raise NotAllowedNow("reveal", "the other side is paid by it")
    draft.put(replace(instance, preimage=preimage))
    leg = instance.legs[0]
    view = draft.channel(leg.channel)
    if leg.status is LegStatus.LISTED and blocked(draft, view) is None:
        propose_removal(draft, instance.id)
