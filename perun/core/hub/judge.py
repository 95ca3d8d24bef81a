"""Judging one half of a pair: what may be signed in a hub's channel if the other half is as good.

It says what it finds and changes nothing; `pairs` acts on it.

Rules (a), (b) and (d), by which a removal is signed alone, are marked where they are used; (c) is
in `pairs`.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import BadProposal, WaitsForItsTurn
from perun.core.hub.queue import why_stays
from perun.core.nanocontracts.instances import (
    end_role,
    finally_decided,
    leg_in,
    nano_of,
    other_leg,
    untouched,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import clamp_to_locks, gain
from perun.core.state import (
    ChannelView,
    HubInstance,
    HubStage,
    InstanceView,
    Intent,
    Leg,
    LegStatus,
    Purpose,
)
from perun.core.states.verdict import Decision, Verdict
from perun.encoding.messages import Propose
from perun.types import Nano, Wei

__all__ = ["judge"]


def judge(
    draft: Draft,
    view: ChannelView,
    message: Propose,
    removed: tuple[Nano, ...],
    added: tuple[Nano, ...],
    moved: int,
) -> Verdict:
    """Judges one half of a pair; raises `BadProposal` for what no rule allows."""
    if removed and added:
        return _judge_replacing(draft, view, message, removed[0], added[0], moved)
    nano = (removed or added)[0]
    crossing, instance = draft.hub_instance(nano.id), draft.instance(nano.id)
    leg = leg_in(instance, view)
    if crossing is None or leg is None:
        raise BadProposal("this instance does not cross this channel, or does no longer")
    if added:
        if crossing.replaces is not None:
            raise BadProposal("it was granted in the place of another only")
        _check_adding(draft, view, crossing, instance, leg, nano, moved)
        return Verdict(Decision.HOLD, Intent(Purpose.ADD, Wei(moved), adds=nano.id))
    return _judge_removal(draft, view, message, instance, leg, nano, moved)


# Rules replace-4, replace-5.
def _judge_replacing(
    draft: Draft, view: ChannelView, message: Propose, old: Nano, new: Nano, moved: int
) -> Verdict:
    """One half of a pair that resizes or renews: the old instance goes at the totals it names, and
    what moves besides is the fee of the new one. Rules (a) to (d) are for what goes alone."""
    crossing, instance = draft.hub_instance(new.id), draft.find_instance(new.id)
    leg = leg_in(instance, view) if instance is not None else None
    if crossing is None or instance is None or leg is None or crossing.replaces != old.id:
        raise BadProposal("not granted, or no longer: one in the place of the other")
    why = why_stays(draft, crossing, instance)
    if why is not None:
        raise BadProposal(why)
    going = draft.instance(old.id)
    leg_of_old = leg_in(going, view)
    assert leg_of_old is not None
    kind, peer = kind_of(going.terms), end_role(leg_of_old, view)
    shift, totals = kind.named(going.terms, going, message, peer)
    beside = moved - clamp_to_locks(old, shift)
    _check_adding(draft, view, crossing, instance, leg, new, beside)
    return Verdict(Decision.HOLD, Intent(Purpose.REPLACE, Wei(beside), new.id, old.id), totals)


# Rule close-5.
def _check_adding(
    draft: Draft,
    view: ChannelView,
    crossing: HubInstance,
    instance: InstanceView,
    leg: Leg,
    nano: Nano,
    moved: int,
) -> None:
    """Raises `BadProposal`; `moved` is what the state moves for the new instance."""
    if crossing.stage is HubStage.REQUESTED:
        # A half that comes again after patience.
        raise WaitsForItsTurn("its turn has not come in time", crossing.id)
    if crossing.stage is not HubStage.OPENING or view.inflight != crossing.id:
        raise BadProposal("not asked for: request it, and wait for the grant")
    if nano != nano_of(draft.config.deployment, nano.id, instance.terms, leg.swapped):
        raise BadProposal("a nano with other locks, time or contract than its instance")
    if leg.status is not LegStatus.NEW or not untouched(instance):
        raise BadProposal("an instance that was locked or submitted before")
    fee = crossing.fee if view.id == crossing.alice_channel else 0
    if gain(view.role, moved) < fee:
        raise BadProposal(f"the fee is {fee}")


# Rules close-3, close-a, close-b, close-c, close-d.
def _judge_removal(
    draft: Draft,
    view: ChannelView,
    message: Propose,
    instance: InstanceView,
    leg: Leg,
    nano: Nano,
    moved: int,
) -> Verdict:
    intent = Intent(Purpose.REMOVE, removes=nano.id)
    decided = finally_decided(instance, draft.chain)
    if decided is not None:
        # Rules (a), (b): the outcome, or its absence, in a final block.
        if moved != clamp_to_locks(nano, decided):
            raise BadProposal("not the outcome that the chain shows")
        return Verdict(Decision.ACCEPT, intent)
    other = other_leg(instance, leg)
    if other.status is LegStatus.REMOVED:
        # Rule (d): the other removal is fully signed; here at the shift paid there, or better.
        owed = gain(view.role, clamp_to_locks(nano, other.removed_shift))
        if gain(view.role, moved) < owed:
            raise BadProposal("less than what was paid in the other channel")
        return Verdict(Decision.ACCEPT, intent)
    kind, peer = kind_of(instance.terms), end_role(leg, view)
    shift, totals = kind.named(instance.terms, instance, message, peer)
    if moved != clamp_to_locks(nano, shift):
        raise BadProposal("net does not move by the totals it names")
    return Verdict(Decision.HOLD, intent, totals)
