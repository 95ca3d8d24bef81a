"""A hub's side of instances that cross it: neither until both (protocol, section 6).

Every state that adds or removes an instance held in two channels is countersigned together with the
other channel's, by one `Sign` whose two signatures are stored in one write. The exceptions are the
rules (a) to (d), marked where they are used. What is not complete after patience is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from perun.core.accounting import clamp_to_locks, gain
from perun.core.books import Draft
from perun.core.faults import BadProposal, StatementRefused
from perun.core.instances import (
    finally_decided,
    last_time,
    leg_in,
    lock_shift,
    nano_of,
    one_way,
    totals_shift,
    untouched,
)
from perun.core.phases import blocked, fresh
from perun.core.requests import forget, let_go, refuse_both, start_next, why_stays
from perun.core.signing import check_statement
from perun.core.state import (
    ChannelView,
    Crossing,
    CrossingStage,
    InstanceView,
    Intent,
    Leg,
    LegStatus,
    Purpose,
    Role,
    Totals,
)
from perun.core.verdict import Decision, Verdict
from perun.core.wishes import answer, refuse, want
from perun.encoding.messages import Propose
from perun.errors import BadSignature
from perun.types import ChannelId, InstanceId, MachineId, Nano, Signature, Wei

__all__ = ["follow", "give_up", "judge", "on_agreed", "on_held", "on_watched", "overdue"]


# ---------------------------------------------------------------------------------------- judging


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
    crossing, instance = draft.crossing(nano.id), draft.instance(nano.id)
    leg = leg_in(instance, view)
    if crossing is None or leg is None:
        raise BadProposal("this instance does not cross this channel, or does no longer")
    if added:
        if crossing.replaces is not None:
            raise BadProposal("it was granted in the place of another only")
        _check_adding(draft, view, crossing, instance, leg, nano, moved)
        return Verdict(Decision.HOLD, Intent(Purpose.ADD, Wei(moved), adds=nano.id))
    return _judge_removal(draft, view, message, instance, leg, nano, moved)


def _judge_replacing(
    draft: Draft, view: ChannelView, message: Propose, old: Nano, new: Nano, moved: int
) -> Verdict:
    """One half of a pair that resizes or renews: the old instance goes at the totals it names, and
    what moves besides is the fee of the new one. Rules (a) to (d) are for what goes alone."""
    crossing, instance = draft.crossing(new.id), draft.find_instance(new.id)
    leg = leg_in(instance, view) if instance is not None else None
    if crossing is None or instance is None or leg is None or crossing.replaces != old.id:
        raise BadProposal("not granted, or no longer: one in the place of the other")
    why = why_stays(draft, crossing, instance)
    if why is not None:
        raise BadProposal(why)
    going = draft.instance(old.id)
    leg_of_old = leg_in(going, view)
    assert leg_of_old is not None
    shift, totals = _named_shift(going, leg_of_old, view, message)
    beside = moved - clamp_to_locks(old, shift)
    _check_adding(draft, view, crossing, instance, leg, new, beside)
    _keep_evidence(draft, going, leg_of_old, view, message)
    return Verdict(Decision.HOLD, Intent(Purpose.REPLACE, Wei(beside), new.id, old.id), totals)


def _check_adding(
    draft: Draft,
    view: ChannelView,
    crossing: Crossing,
    instance: InstanceView,
    leg: Leg,
    nano: Nano,
    moved: int,
) -> None:
    """Raises `BadProposal`; `moved` is what the state moves for the new instance."""
    if crossing.stage is CrossingStage.REQUESTED:
        # A half that waits for its turn, and comes again after patience.
        let_go(draft, crossing, "the other end waits no longer", (view.id,))
        raise BadProposal("its turn has not come in time")
    if crossing.stage is not CrossingStage.OPENING or view.inflight != crossing.id:
        raise BadProposal("not asked for: request it, and wait for the grant")
    if nano != nano_of(draft.config.deployment, nano.id, instance.terms, leg.swapped):
        raise BadProposal("a nano with other locks, time or contract than its instance")
    if leg.status is not LegStatus.NEW or not untouched(instance):
        raise BadProposal("an instance that was locked or submitted before")
    fee = crossing.fee if view.id == crossing.alice_channel else 0
    if gain(view.role, moved) < fee:
        raise BadProposal(f"the fee is {fee}")


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
    other = _other_leg(instance, leg)
    if other.status is LegStatus.REMOVED:
        # Rule (d): the other removal is fully signed; here at the shift paid there, or better.
        owed = gain(view.role, clamp_to_locks(nano, other.removed_shift))
        if gain(view.role, moved) < owed:
            raise BadProposal("less than what was paid in the other channel")
        return Verdict(Decision.ACCEPT, intent)
    shift, totals = _named_shift(instance, leg, view, message)
    if moved != clamp_to_locks(nano, shift):
        raise BadProposal("net does not move by the totals it names")
    _keep_evidence(draft, instance, leg, view, message)
    return Verdict(Decision.HOLD, intent, totals)


def _named_shift(
    instance: InstanceView, leg: Leg, view: ChannelView, message: Propose
) -> tuple[Wei, tuple[Wei, Wei]]:
    if instance.machine is None:
        assert instance.lock is not None
        if instance.preimage is None and instance.head.preimage is None:
            raise BadProposal("the secret is not known, and the lock has not lapsed")
        shift = lock_shift(instance.lock)
        return shift, (shift, Wei(0))
    paid, received = message.paid, message.received
    totals = (paid, received) if end_role(leg, view) is Role.ALICE else (received, paid)
    return totals_shift(instance.machine, *totals), totals


def end_role(leg: Leg, view: ChannelView) -> Role:
    """The instance's side that our peer in this channel stands on; the hub plays the other."""
    return view.role if leg.swapped else view.role.other


def _other_leg(instance: InstanceView, leg: Leg) -> Leg:
    for other in instance.legs:
        if other.channel != leg.channel:
            return other
    raise BadProposal("it does not cross us")


# ------------------------------------------------------------------- what rule (c) rests on


def _keep_evidence(
    draft: Draft, instance: InstanceView, leg: Leg, view: ChannelView, message: Propose
) -> None:
    """Keeps the payer's highest statement of a one-way machine; a hub's own `Totals.received`."""
    machine = instance.machine
    payer = one_way(instance.terms)
    if machine is None or payer is None:
        return
    by_payer = end_role(leg, view) is payer
    paid = message.paid if by_payer else message.received
    signature = message.paid_signature if by_payer else message.received_signature
    held = draft.totals(instance.id)
    if paid <= held.received or not signature:
        return
    key = machine.alice if payer is Role.ALICE else machine.bob
    try:
        check_statement(draft.config.deployment, MachineId(instance.id), paid, signature, key)
    except (BadSignature, StatementRefused):
        return
    draft.put(Totals(instance.id, Wei(0), Wei(0), Signature(b""), paid, signature))


def pays_alone(draft: Draft, view: ChannelView, instance: InstanceView) -> bool:
    """Rule (c): may the hub sign the removal it holds here without the other?

    It pays here; it holds evidence that forces the same or a better shift in the other channel
    whatever anybody else submits; there is time to submit it; the other channel's newest fully
    signed state lists the instance, undisputed.
    """
    leg = leg_in(instance, view)
    held = view.held
    if leg is None or held is None or held.totals is None or held.intent.adds is not None:
        return False
    payer = one_way(instance.terms)
    if payer is None or end_role(leg, view) is payer:
        return False
    other_leg = _other_leg(instance, leg)
    other = draft.channel(other_leg.channel)
    on = instance.head
    if other_leg.status is not LegStatus.LISTED or not fresh(draft) or not instance.watched:
        return False
    if blocked(draft, other) is not None or blocked(draft, view) is not None:
        return False
    in_time = draft.now <= last_time(instance.terms) - draft.config.limits.margin
    if instance.lock is not None:
        known = instance.preimage is not None
        return (known and in_time) or instance.final.preimage is not None
    owed = held.totals[payer]
    recorded = on.paid_by_alice if payer is Role.ALICE else on.paid_by_bob
    final = instance.final
    recorded_finally = final.paid_by_alice if payer is Role.ALICE else final.paid_by_bob
    evidence = draft.totals(instance.id).received >= owed
    still_rises = on.deadline == 0 or draft.now <= on.deadline - draft.config.limits.margin
    if evidence and in_time and still_rises:
        return True
    return recorded >= owed and recorded_finally >= owed


# ------------------------------------------------------------------------------------------ pairs


def on_held(draft: Draft, view: ChannelView) -> bool:
    """A half has arrived: answer both if both are here. False: this is no crossing's half."""
    held = view.held
    assert held is not None
    id = held.intent.adds or held.intent.removes
    crossing = draft.crossing(id) if id is not None else None
    if crossing is None or id is None:
        return False
    if held.intent.removes is not None and crossing.stage is CrossingStage.OPEN:
        draft.put(replace(crossing, stage=CrossingStage.CLOSING, since=draft.chain.clock))
    instance = draft.instance(id)
    leg = leg_in(instance, view)
    assert leg is not None
    other = draft.channel(_other_leg(instance, leg).channel)
    if _is_half(other, held.intent):
        assert other.held is not None
        if other.held.totals != held.totals:
            why = "the ends name different totals"
            for half in (view, other):
                if blocked(draft, half) is None:
                    refuse(draft, half.id, why)
            if crossing.stage is CrossingStage.OPENING:
                _end_opening(draft, crossing, why)
            _back_to_open(draft, id)
        elif held.intent.adds is not None and not instance.watched:
            return True  # "Never submitted" is not known yet: `on_watched`.
        elif _could_sign(draft, view) and _could_sign(draft, other):
            answer(draft, view.id, other.id)
        return True
    if instance.lock is not None and pays_alone(draft, view, instance):
        # The payer cannot propose before it knows the secret, which it learns from rule (d).
        answer(draft, view.id)
    return True


def on_watched(draft: Draft, crossing: Crossing) -> None:
    """The chain says how an instance stands that is being opened: its halves may wait for it."""
    instance = draft.instance(crossing.id)
    why = None if untouched(instance) else "an instance that was submitted before"
    if crossing.replaces is not None:
        why = why or why_stays(draft, crossing, instance)
    if why is not None:
        give_up(draft, crossing, why)
        return
    view = draft.channel(crossing.alice_channel)
    if _is_half(view, _adding(crossing)):
        on_held(draft, view)


def _is_half(view: ChannelView, intent: Intent) -> bool:
    held = view.held
    return (
        held is not None
        and not held.answering
        and (held.intent.adds, held.intent.removes) == (intent.adds, intent.removes)
    )


def _could_sign(draft: Draft, view: ChannelView) -> bool:
    """ "Holds" means: could still sign it (protocol, section 6)."""
    held = view.held
    return held is not None and held.state.version > view.signed and blocked(draft, view) is None


def on_agreed(draft: Draft, id: InstanceId) -> None:
    """A state that adds or removes the instance is fully signed in one of the two channels."""
    crossing, instance = draft.crossing(id), draft.instance(id)
    if crossing is None:
        return
    statuses = [leg.status for leg in instance.legs]
    if all(status is LegStatus.LISTED for status in statuses):
        draft.put(replace(crossing, stage=CrossingStage.OPEN, since=draft.chain.clock))
        forget(draft, crossing)
    elif all(status is LegStatus.REMOVED for status in statuses):
        draft.drop(crossing)
        forget(draft, crossing)
    elif any(status is LegStatus.REMOVED for status in statuses):
        draft.put(replace(crossing, stage=CrossingStage.HALF, since=draft.chain.clock))
        follow(draft, id)
    start_next(draft, crossing.alice_channel, crossing.bob_channel)


def follow(draft: Draft, id: InstanceId) -> None:
    """Rules (a), (b), (d): the hub itself proposes what the other channel or the chain decided."""
    instance = draft.instance(id)
    for leg in instance.legs:
        if leg.status is not LegStatus.LISTED:
            continue
        view = draft.channel(leg.channel)
        if view.proposals or view.held is not None or blocked(draft, view) is not None:
            continue
        removed_there = _other_leg(instance, leg).status is LegStatus.REMOVED
        if not removed_there and finally_decided(instance, draft.chain) is None:
            continue
        if not any(intent.removes == id for intent in view.intents):
            want(draft, view.id, Intent(Purpose.REMOVE, removes=id))


# --------------------------------------------------------------------------------------- patience


def overdue(draft: Draft, crossing: Crossing) -> None:
    """Refuses what is not complete after patience, so that nobody is left waiting [C2]."""
    patience = draft.config.limits.patience
    waited = draft.chain.clock - crossing.since
    if crossing.stage is CrossingStage.REQUESTED:
        if waited > (30 * patience if all(crossing.requested) else patience):
            refuse_both(draft, crossing, "the other end, or a channel, kept us waiting")
            forget(draft, crossing)
            draft.drop(crossing)
    elif waited <= patience:
        return
    elif crossing.stage is CrossingStage.HALF:
        draft.put(replace(crossing, since=draft.chain.clock))
        follow(draft, crossing.id)
    elif crossing.stage is CrossingStage.OPENING:
        if waited <= draft.config.limits.freshness and _waits_for_chain(draft, crossing):
            return
        _refuse_halves(draft, crossing, "the other end has not proposed in time")
        _end_opening(draft, crossing, "not complete in time")
    elif crossing.stage is CrossingStage.CLOSING:
        instance = draft.instance(crossing.id)
        for leg in instance.legs:
            view = draft.channel(leg.channel)
            if _is_half(view, Intent(Purpose.REMOVE, removes=crossing.id)) and pays_alone(
                draft, view, instance
            ):
                answer(draft, view.id)
                return
        _refuse_halves(draft, crossing, "the other end has not proposed the same in time")
        _back_to_open(draft, crossing.id)


def _waits_for_chain(draft: Draft, crossing: Crossing) -> bool:
    """Both ends have done their part; what is missing is our own view."""
    pair = (draft.channel(crossing.alice_channel), draft.channel(crossing.bob_channel))
    halves = all(_is_half(view, _adding(crossing)) for view in pair)
    return halves and not draft.instance(crossing.id).watched


def give_up(
    draft: Draft, crossing: Crossing, reason: str, answered: Sequence[ChannelId] = ()
) -> None:
    """Ends an opening of which nothing is signed: by states where halves are, else in words; not
    again in channels where the half is `answered`."""
    ids = (crossing.alice_channel, crossing.bob_channel)
    halves = [id for id in ids if _is_half(draft.channel(id), _adding(crossing))]
    _refuse_halves(draft, crossing, reason)
    _end_opening(draft, crossing, reason, (*halves, *answered))


def _adding(crossing: Crossing) -> Intent:
    return Intent(Purpose.ADD, adds=crossing.id, removes=crossing.replaces)


def _refuse_halves(draft: Draft, crossing: Crossing, reason: str) -> None:
    for id in (crossing.alice_channel, crossing.bob_channel):
        view = draft.channel(id)
        held = view.held
        if (
            held is None
            or held.answering
            or crossing.id
            not in (
                held.intent.adds,
                held.intent.removes,
            )
        ):
            continue
        if blocked(draft, view) is None:
            refuse(draft, id, reason)


def _end_opening(
    draft: Draft, crossing: Crossing, reason: str, but: Sequence[ChannelId] = ()
) -> None:
    """If nothing of it is signed, lets go of what was reserved."""
    if any(leg.status is not LegStatus.NEW for leg in draft.instance(crossing.id).legs):
        return
    let_go(draft, crossing, reason, but)
    start_next(draft, crossing.alice_channel, crossing.bob_channel)


def _back_to_open(draft: Draft, id: InstanceId) -> None:
    crossing = draft.crossing(id)
    if crossing is not None and crossing.stage is CrossingStage.CLOSING:
        draft.put(replace(crossing, stage=CrossingStage.OPEN, since=draft.chain.clock))
