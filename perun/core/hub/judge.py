"""Judging one half of a pair: what may be signed in a hub's channel if the other half is as good.

It says what it finds and changes nothing; `pairs` acts on it. Rules (a) to (d), by which a removal
is signed alone, are marked where they are used.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import BadProposal, WaitsForItsTurn
from perun.core.hub import paths
from perun.core.hub.queue import why_stays
from perun.core.nanocontracts.instances import (
    nano_of,
    one_way,
    untouched,
)
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import clamp_to_locks, gain
from perun.core.rules.phases import blocked
from perun.core.state import (
    ChannelView,
    HubStage,
    Intent,
    LegStatus,
    Purpose,
)
from perun.core.states.verdict import Decision, Half, Verdict
from perun.encoding.messages import Propose
from perun.types import InstanceId, Nano, Wei

__all__ = ["half_in", "judge", "pays_alone"]


def judge(
    draft: Draft,
    view: ChannelView,
    message: Propose,
    removed: tuple[Nano, ...],
    added: tuple[Nano, ...],
    moved: int,
) -> Verdict:
    """Judges one half of a pair; raises `BadProposal` for what no rule allows."""
    nano = (added or removed)[0]
    half = half_in(draft, view, nano.id)
    if removed and added:
        return _judge_replacing(draft, view, half, message, removed[0], nano, moved)
    if half is None:
        raise BadProposal("this instance does not cross this channel, or does no longer")
    if removed:
        return _judge_removal(draft, view, half, message, nano, moved)
    if half.crossing.onward:
        return paths.judge_adding(draft, view, half, nano, moved)
    if half.crossing.replaces is not None:
        raise BadProposal("it was granted in the place of another only")
    _check_adding(draft, view, half, nano, moved)
    return Verdict(Decision.HOLD, Intent(Purpose.ADD, Wei(moved), nano.id), half=half)


def half_in(draft: Draft, view: ChannelView, id: InstanceId) -> Half | None:
    """What a state about the instance is one half of; None: it does not cross this channel."""
    crossing, instance = draft.hub_instance(id), draft.find_instance(id)
    if crossing is None or instance is None or instance.role is not None:
        return None
    first, second = instance.legs
    if view.id not in (first.channel, second.channel):
        return None
    leg, there = (first, second) if first.channel == view.id else (second, first)
    peer = view.role if leg.swapped else view.role.other
    other = draft.channel(there.channel)
    return Half(crossing, instance, kind_of(instance.terms), leg, there, other, peer)


# Rules replace-4, replace-5.
def _judge_replacing(
    draft: Draft,
    view: ChannelView,
    half: Half | None,
    message: Propose,
    old: Nano,
    new: Nano,
    moved: int,
) -> Verdict:
    """One half of a pair that resizes or renews: the old instance goes at the totals it names, and
    what moves besides is the fee of the new one. Rules (a) to (d) are for what goes alone."""
    if half is None or half.crossing.replaces != old.id:
        raise BadProposal("not granted, or no longer: one in the place of the other")
    why = why_stays(draft, half.crossing, half.instance)
    if why is not None:
        raise BadProposal(why)
    going = half_in(draft, view, old.id)
    assert going is not None, "it is listed here and crosses us"
    shift, totals = going.kind.named(going.instance.terms, going.instance, message, going.peer)
    beside = moved - clamp_to_locks(old, shift)
    _check_adding(draft, view, half, new, beside)
    intent = Intent(Purpose.REPLACE, Wei(beside), new.id, old.id)
    return Verdict(Decision.HOLD, intent, totals, half)


# Rule close-5.
def _check_adding(draft: Draft, view: ChannelView, half: Half, nano: Nano, moved: int) -> None:
    """Raises `BadProposal`; `moved` is what the state moves for the new instance."""
    crossing, instance, leg = half.crossing, half.instance, half.leg
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


# Rules close-3, close-a, close-b, close-c, close-d, gate-5.
def _judge_removal(
    draft: Draft, view: ChannelView, half: Half, message: Propose, nano: Nano, moved: int
) -> Verdict:
    intent = Intent(Purpose.REMOVE, removes=nano.id)
    if half.there.status in (LegStatus.NEW, LegStatus.ADDING):
        # Over one hub both sides list it at once.
        return paths.judge_leaving(half, intent, moved)
    void = half.kind.void(half.instance)
    decided = half.kind.decided(half.instance, draft.chain)
    if decided is not None:
        # Rules (a), (b): the outcome, or its absence, in a final block.
        if moved != clamp_to_locks(nano, decided):
            raise BadProposal("not the outcome that the chain shows")
        return Verdict(Decision.ACCEPT, intent)
    if half.there.status is LegStatus.REMOVED:
        # Rule (d): the other removal is fully signed; here at the shift paid there, or better.
        owed = gain(view.role, clamp_to_locks(nano, half.there.removed_shift))
        if gain(view.role, moved) < owed:
            raise BadProposal("less than what was paid in the other channel")
        return Verdict(Decision.ACCEPT, intent)
    if void:
        # It counts only once we have signed, and we sign nothing while it is being removed.
        if moved:
            raise BadProposal("nothing moves by what is not open")
        return Verdict(Decision.ACCEPT, intent)
    shift, totals = half.kind.named(half.instance.terms, half.instance, message, half.peer)
    if moved != clamp_to_locks(nano, shift):
        raise BadProposal("net does not move by the totals it names")
    return Verdict(Decision.HOLD, intent, totals, half)


# Rules close-c, path-1.
def pays_alone(draft: Draft, view: ChannelView, half: Half) -> bool:
    """Rule (c): may the hub sign the removal it holds here without the other?

    It pays here; it holds evidence that forces the same or a better shift in the other channel
    whatever anybody else submits; there is time to submit it; the other channel's newest fully
    signed state lists the instance, undisputed.
    """
    held, instance = view.held, half.instance
    if held is None or held.totals is None or held.intent.adds is not None:
        return False
    payer = one_way(instance.terms)
    if payer is None or half.peer is payer:
        return False
    if half.there.status is not LegStatus.LISTED or not instance.watched:
        return False
    if blocked(draft, half.other) is not None or blocked(draft, view) is not None:
        return False
    return half.kind.forces(draft, instance, held.totals)
