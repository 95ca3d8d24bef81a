"""At which shift an instance is removed (protocol, section 5, Removing an instance [A11]).

`s` is the difference of the totals; or the outcome, once a final block shows it; or a hash lock's
amount, once its payer holds the secret. A hub has no totals: it removes by the rules of section 6,
see `hub.pairs`.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import NotAllowedNow
from perun.core.nanocontracts.instances import finally_decided
from perun.core.nanocontracts.kinds import kind_of
from perun.core.state import ChannelView, HubStage, InstanceView, LegStatus
from perun.types import Wei

__all__ = ["end_shift", "own_shift"]


def own_shift(draft: Draft, view: ChannelView, instance: InstanceView) -> Wei:
    """The shift at which we propose a removal; not clamped.

    Raises:
        NotAllowedNow: nothing has decided it yet.
    """
    if instance.role is not None:
        return end_shift(draft, instance)
    decided = finally_decided(instance, draft.chain)
    if decided is not None:
        return decided
    for leg in instance.legs:
        # Rule (d): the other removal is fully signed; here at the shift paid there.
        if leg.channel != view.id and leg.status is LegStatus.REMOVED:
            return leg.removed_shift
    crossing = draft.hub_instance(instance.id)
    if crossing is not None and crossing.stage is HubStage.RETURNING:
        return Wei(0)
    raise NotAllowedNow("remove it", "a hub follows the ends, or the outcome in a final block")


def end_shift(draft: Draft, instance: InstanceView) -> Wei:
    """What an end takes the shift to be."""
    decided = finally_decided(instance, draft.chain)
    if decided is not None:
        return decided
    terms = instance.terms
    known = kind_of(terms).known(terms, instance, draft.totals(instance.id))
    if known is None:
        raise NotAllowedNow("remove it", "the secret is not known and the lock has not lapsed")
    return known
