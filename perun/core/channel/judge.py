"""Whether a proposed state may be signed: by its content alone, whatever the message calls it.

Protocol, section 5, What it signs; section 4, What an honest party locks. The verdict is ACCEPT,
HOLD (our user, or the other half of a hub's pair, decides) or a `BadProposal`, which is refused in
the way of section 5, Answers.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import BadProposal, InstanceRejected, NotAllowedNow
from perun.core.hub import judge as halves
from perun.core.nanocontracts.instances import check_terms, leg_in, nano_of, untouched
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import clamp_to_locks, gain, locks_fit, reliable_holdings, solvent
from perun.core.rules.worth import most_of
from perun.core.state import ChannelView, InstanceView, Intent, LegStatus, Purpose
from perun.core.states.content import difference
from perun.core.states.removal import end_shift
from perun.core.states.verdict import Decision, Verdict
from perun.encoding.messages import Propose
from perun.types import ZERO_ADDRESS, Nano, Wei

__all__ = ["check_roles", "judge"]


# Rules answer-3, state-1, state-2, state-4.
def judge(draft: Draft, view: ChannelView, message: Propose) -> Verdict:
    """Judges a peer's proposal; its version and signature are checked already.

    Raises:
        BadProposal: it must be refused.
    """
    state = message.state
    removed, added, moved = difference(view, state)
    if not removed and not added and moved == 0:
        intent = Intent(Purpose.REFUSE, reason=message.reason)
        return Verdict(Decision.ACCEPT, intent)
    if not solvent(reliable_holdings(view), state):
        raise BadProposal("not solvent against deposits in final blocks and live offers")
    if not locks_fit(state.nanos):
        raise BadProposal("the locks of one side add up to more than register takes")
    if len(removed) > 1 or len(added) > 1:
        raise BadProposal("more than one instance at a time")

    adds = added[0].id if added else None
    removes = removed[0].id if removed else None
    for id in (adds, removes):
        known = draft.find_instance(id) if id is not None else None
        if known is not None and known.role is None:
            return halves.judge(draft, view, message, removed, added, moved)

    if added and not removed and len(state.nanos) > draft.config.limits.slots_per_peer:
        raise BadProposal("no slot left for this peer")
    if removed:
        moved -= _check_removal(draft, removed[0])
    if added:
        _check_addition(draft, view, added[0])
    if removed and moved != 0:
        raise BadProposal("a removal moves net by its shift and nothing else")
    gained = gain(view.role, moved)
    purpose = Purpose.TRANSFER
    if added:
        purpose = Purpose.REPLACE if removed else Purpose.ADD
        if gained < 0:
            raise BadProposal("adding an instance takes money from us")
    elif removed:
        purpose = Purpose.REMOVE
    intent = Intent(purpose, Wei(moved), adds, removes)
    policy = draft.config.policy
    if gained < 0 and view.taken - gained > most_of(
        policy, view.channel.asset, policy.greatest_loss
    ):
        return Verdict(Decision.HOLD, intent)
    return Verdict(Decision.ACCEPT, intent)


def _check_addition(draft: Draft, view: ChannelView, nano: Nano) -> InstanceView:
    """An end's check of what it locks [A9]; raises `BadProposal`."""
    instance = draft.find_instance(nano.id)
    leg = leg_in(instance, view) if instance is not None else None
    if instance is None or leg is None:
        raise BadProposal("an instance whose parameters we do not know")
    if nano != nano_of(draft.config.deployment, nano.id, instance.terms, leg.swapped):
        raise BadProposal("a nano with other locks, time or contract than its instance")
    if leg.status is not LegStatus.NEW and leg.status is not LegStatus.ADDING:
        raise BadProposal("an instance that was locked before")
    if not untouched(instance) or draft.totals(instance.id).received:
        raise BadProposal("an instance that was submitted or signed for before")
    try:
        check_terms(draft.config, draft.now, instance.terms)
    except InstanceRejected as error:
        raise BadProposal(error.why) from None
    check_roles(view, instance)
    if instance.via and not instance.far:
        raise BadProposal("a virtual instance is proposed by its end, not by the hub")
    return instance


def check_roles(view: ChannelView, instance: InstanceView) -> None:
    """Raises `BadProposal` unless our role is signed for by our key, the peer's by the peer's."""
    signers, leg = kind_of(instance.terms).signers(instance.terms), leg_in(instance, view)
    if signers is None or leg is None:
        return
    keys = (view.channel.alice_key, view.channel.bob_key)
    if ZERO_ADDRESS in signers:
        raise BadProposal("a machine with nobody on one side")
    own_side = view.role.other if leg.swapped else view.role
    if signers[own_side] not in (None, keys[view.role]):
        raise BadProposal("our side of the machine is not our own key")
    if not instance.via and signers[own_side.other] not in (None, keys[view.role.other]):
        raise BadProposal("the other side of the machine is not our peer's key")


# Rules remove-1, remove-2.
def _check_removal(draft: Draft, nano: Nano) -> Wei:
    """The shift at which an end lets an instance go; raises `BadProposal` if it differs."""
    instance = draft.find_instance(nano.id)
    if instance is None:
        raise BadProposal("an instance that we do not know")
    try:
        return clamp_to_locks(nano, end_shift(draft, instance))
    except NotAllowedNow as error:
        raise BadProposal(error.why) from None
