"""A hub's side of instances that cross it: neither until both (protocol, section 6).

Every state that adds or removes an instance held in two channels, or puts one in another's place,
is countersigned together with the other channel's, by one `Sign` whose two signatures are stored in
one write. The exceptions are the rules (a) to (d), marked where they are used, here and in
`judge`. What is not complete after patience is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.hub.judge import half_in
from perun.core.hub.queue import forget, let_go, refuse_both, start_next, why_stays
from perun.core.nanocontracts.instances import (
    finally_decided,
    one_way,
    untouched,
)
from perun.core.rules.phases import blocked, fresh
from perun.core.state import (
    ChannelView,
    HubInstance,
    HubStage,
    Intent,
    LegStatus,
    Purpose,
)
from perun.core.states.proposing import answer, refuse, want
from perun.core.states.verdict import Half
from perun.encoding.messages import Propose
from perun.types import ChannelId, InstanceId

__all__ = [
    "follow",
    "give_up",
    "look_again",
    "on_agreed",
    "on_declined",
    "on_half",
    "on_out_of_turn",
    "on_watched",
    "overdue",
]


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
    other = draft.channel(half.there.channel)
    if half.there.status is not LegStatus.LISTED or not fresh(draft) or not instance.watched:
        return False
    if blocked(draft, other) is not None or blocked(draft, view) is not None:
        return False
    return half.kind.forces(draft, instance, held.totals)


# ------------------------------------------------------------------------------------------ pairs


# Rules pair-2, pair-6.
def on_half(draft: Draft, view: ChannelView, half: Half, message: Propose) -> None:
    """A half that is good by itself has come, and is held."""
    held, crossing = view.held, half.crossing
    assert held is not None
    if held.intent.removes is not None:
        if crossing.stage is HubStage.OPEN:
            draft.put(replace(crossing, stage=HubStage.CLOSING, since=draft.chain.clock))
        # What proves the shift in the other channel too.
        going = half if held.intent.adds is None else half_in(draft, view, held.intent.removes)
        assert going is not None
        going.kind.keep(draft, going.instance, message, going.peer)
    _look(draft, view, half)


def _look(draft: Draft, view: ChannelView, half: Half) -> None:
    """Answers both halves if both are here and agree; this one alone by rule (c)."""
    held, other = view.held, draft.channel(half.there.channel)
    assert held is not None
    if not _is_half(other, held.intent):
        # The payer cannot propose before it knows the secret, which it learns from rule (d).
        if not half.kind.talks and pays_alone(draft, view, half):
            answer(draft, view)
        return
    assert other.held is not None
    if other.held.totals != held.totals:
        _refuse_different(draft, half.crossing, view, other)
        return
    if held.intent.adds is not None and not half.instance.watched:
        return  # "Never submitted" is not known yet: `on_watched`.
    # "Holds" means: could still sign it (protocol, section 6).
    above = held.state.version > view.signed and other.held.state.version > other.signed
    if above and blocked(draft, view) is None and blocked(draft, other) is None:
        answer(draft, view, other)


def _refuse_different(draft: Draft, crossing: HubInstance, *halves: ChannelView) -> None:
    why = "the ends name different totals"
    for half in halves:
        if blocked(draft, half) is None:
            refuse(draft, half.id, why)
    if crossing.stage is HubStage.OPENING:
        _end_opening(draft, crossing, why)
    _back_to_open(draft, crossing.id)


def on_out_of_turn(draft: Draft, view: ChannelView, id: InstanceId) -> None:
    """An end waits no longer for its turn, and is refused: the other need not either."""
    crossing = draft.hub_instance(id)
    if crossing is not None:
        let_go(draft, crossing, "the other end waits no longer", (view.id,))


# Rule pair-3.
def on_declined(draft: Draft, view: ChannelView, id: InstanceId, reason: str) -> None:
    """An end that we granted an instance says that it will not propose it: neither has to wait."""
    crossing = draft.hub_instance(id)
    if crossing is None or view.inflight != id or crossing.stage is not HubStage.OPENING:
        return
    give_up(draft, crossing, reason, (view.id,))


def on_watched(draft: Draft, crossing: HubInstance) -> None:
    """The chain says how an instance stands that is being opened: its halves may wait for it."""
    instance = draft.instance(crossing.id)
    why = None if untouched(instance) else "an instance that was submitted before"
    if crossing.replaces is not None:
        why = why or why_stays(draft, crossing, instance)
    if why is not None:
        give_up(draft, crossing, why)
        return
    view = draft.channel(crossing.alice_channel)
    half = half_in(draft, view, crossing.id)
    if half is not None and _is_half(view, _adding(crossing)):
        _look(draft, view, half)


def look_again(draft: Draft, id: InstanceId) -> None:
    """At halves that wait for a block: while our view was too old nobody could sign them."""
    crossing = draft.hub_instance(id)
    if crossing is None or crossing.stage not in (HubStage.OPENING, HubStage.CLOSING):
        return
    removing = Intent(Purpose.REMOVE, removes=id)
    for channel in (crossing.alice_channel, crossing.bob_channel):
        view = draft.channel(channel)
        if _is_half(view, _adding(crossing)) or _is_half(view, removing):
            half = half_in(draft, view, id)
            if half is not None:
                _look(draft, view, half)


def _is_half(view: ChannelView, intent: Intent) -> bool:
    held = view.held
    return (
        held is not None
        and not held.answering
        and (held.intent.adds, held.intent.removes) == (intent.adds, intent.removes)
    )


def on_agreed(draft: Draft, id: InstanceId) -> None:
    """A state that adds or removes the instance is fully signed in one of the two channels."""
    crossing, instance = draft.hub_instance(id), draft.instance(id)
    if crossing is None:
        return
    statuses = [leg.status for leg in instance.legs]
    if all(status is LegStatus.LISTED for status in statuses):
        draft.put(replace(crossing, stage=HubStage.OPEN, since=draft.chain.clock))
        forget(draft, crossing)
    elif all(status is LegStatus.REMOVED for status in statuses):
        draft.drop(crossing)
        forget(draft, crossing)
    elif any(status is LegStatus.REMOVED for status in statuses):
        draft.put(replace(crossing, stage=HubStage.HALF, since=draft.chain.clock))
        follow(draft, id)
    start_next(draft, crossing.alice_channel, crossing.bob_channel)


# Rule close-4.
def follow(draft: Draft, id: InstanceId) -> None:
    """Rules (a), (b), (d): the hub itself proposes what the other channel or the chain decided."""
    instance = draft.instance(id)
    first, second = instance.legs
    for leg, there in ((first, second), (second, first)):
        if leg.status is not LegStatus.LISTED:
            continue
        view = draft.channel(leg.channel)
        if view.proposals or view.held is not None or blocked(draft, view) is not None:
            continue
        if there.status is not LegStatus.REMOVED and finally_decided(instance, draft.chain) is None:
            continue
        if not any(intent.removes == id for intent in view.intents):
            want(draft, view.id, Intent(Purpose.REMOVE, removes=id))


# --------------------------------------------------------------------------------------- patience


# Rule pair-4.
def overdue(draft: Draft, crossing: HubInstance) -> None:
    """Refuses what is not complete after patience, so that nobody is left waiting [C2]."""
    patience = draft.config.limits.patience
    waited = draft.chain.waited(crossing.since)
    if crossing.stage is HubStage.REQUESTED:
        if waited > (30 * patience if all(crossing.requested) else patience):
            refuse_both(draft, crossing, "the other end, or a channel, kept us waiting")
            forget(draft, crossing)
            draft.drop(crossing)
    elif waited <= patience:
        return
    elif crossing.stage is HubStage.HALF:
        draft.put(replace(crossing, since=draft.chain.clock))
        follow(draft, crossing.id)
    elif crossing.stage is HubStage.OPENING:
        if waited <= draft.config.limits.freshness and _waits_for_view(draft, crossing):
            return
        _refuse_halves(draft, crossing, "the other end has not proposed in time")
        _end_opening(draft, crossing, "not complete in time")
    elif crossing.stage is HubStage.CLOSING and fresh(draft):
        for channel in (crossing.alice_channel, crossing.bob_channel):
            view = draft.channel(channel)
            half = half_in(draft, view, crossing.id)
            removes = _is_half(view, Intent(Purpose.REMOVE, removes=crossing.id))
            if half is not None and removes and pays_alone(draft, view, half):
                answer(draft, view)
                return
        _refuse_halves(draft, crossing, "the other end has not proposed the same in time")
        _back_to_open(draft, crossing.id)


def _waits_for_view(draft: Draft, crossing: HubInstance) -> bool:
    """Both ends have done their part; what is missing is our own view."""
    pair = (draft.channel(crossing.alice_channel), draft.channel(crossing.bob_channel))
    halves = all(_is_half(view, _adding(crossing)) for view in pair)
    return halves and not (draft.instance(crossing.id).watched and fresh(draft))


def give_up(
    draft: Draft, crossing: HubInstance, reason: str, answered: Sequence[ChannelId] = ()
) -> None:
    """Ends an opening of which nothing is signed: by states where halves are, else in words; not
    again in channels where the half is `answered`."""
    ids = (crossing.alice_channel, crossing.bob_channel)
    halves = [id for id in ids if _is_half(draft.channel(id), _adding(crossing))]
    _refuse_halves(draft, crossing, reason)
    _end_opening(draft, crossing, reason, (*halves, *answered))


def _adding(crossing: HubInstance) -> Intent:
    return Intent(Purpose.ADD, adds=crossing.id, removes=crossing.replaces)


def _refuse_halves(draft: Draft, crossing: HubInstance, reason: str) -> None:
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
    draft: Draft, crossing: HubInstance, reason: str, but: Sequence[ChannelId] = ()
) -> None:
    """If nothing of it is signed, lets go of what was reserved."""
    if any(leg.status is not LegStatus.NEW for leg in draft.instance(crossing.id).legs):
        return
    let_go(draft, crossing, reason, but)
    start_next(draft, crossing.alice_channel, crossing.bob_channel)


def _back_to_open(draft: Draft, id: InstanceId) -> None:
    crossing = draft.hub_instance(id)
    if crossing is not None and crossing.stage is HubStage.CLOSING:
        draft.put(replace(crossing, stage=HubStage.OPEN, since=draft.chain.clock))
