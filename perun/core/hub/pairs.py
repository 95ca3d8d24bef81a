"""A hub's side of instances that cross it: neither until both (protocol, section 6).

Every state that adds or removes an instance held in two channels, or puts one in another's place,
is countersigned together with the other channel's, by one `Sign` whose two signatures are stored in
one write. The exceptions are the rules (a) to (d), marked where they are used, here and in
`judge`. What is not complete in time is refused (`patience`).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.hub import paths
from perun.core.hub.judge import half_in, pays_alone
from perun.core.hub.letting_go import forget, let_go, refuse_one
from perun.core.hub.queue import start_next, why_stays
from perun.core.nanocontracts.instances import (
    finally_decided,
    untouched,
)
from perun.core.rules.phases import NOT_MET, blocked
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
    "adding",
    "back_to_open",
    "end_opening",
    "follow",
    "free_others",
    "give_up",
    "is_half",
    "look_again",
    "on_agreed",
    "on_declined",
    "on_half",
    "on_out_of_turn",
    "on_watched",
    "refuse_halves",
    "waits_for_meeting",
]


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
    held, other = view.held, half.other
    assert held is not None
    if not is_half(other, held.intent):
        # The payer cannot propose before it knows the secret, which it learns from rule (d).
        # Over several hubs nobody proposes to the payer before the payee is paid.
        alone = half.crossing.onward or not half.kind.talks
        if alone and pays_alone(draft, view, half):
            answer(draft, view)
        return
    assert other.held is not None
    if other.held.totals != held.totals:
        if half.crossing.onward and pays_alone(draft, view, half):
            # What the payer names is judged again once the payee is paid: by rule (d).
            refuse(draft, other.id, "the payee names another total")
            answer(draft, view)
            return
        _refuse_different(draft, half.crossing, view, other)
        return
    if held.intent.adds is not None and not half.instance.watched:
        return  # "Never submitted" is not known yet: `on_watched`.
    # "Holds" means: could still sign it (protocol, section 6).
    above = held.state.version > view.signed and other.held.state.version > other.signed
    if above and blocked(draft, view) is None and blocked(draft, other) is None:
        answer(draft, view, other)


def is_half(view: ChannelView, intent: Intent) -> bool:
    """Whether the channel holds the half that an intent names, and has not answered it."""
    held = view.held
    return (
        held is not None
        and not held.answering
        and (held.intent.adds, held.intent.removes) == (intent.adds, intent.removes)
    )


def _refuse_different(draft: Draft, crossing: HubInstance, *halves: ChannelView) -> None:
    why = "the ends name different totals"
    for half in halves:
        if blocked(draft, half) is None:
            refuse(draft, half.id, why)
    if crossing.stage is HubStage.OPENING:
        end_opening(draft, crossing, why)
    back_to_open(draft, crossing.id)


def on_out_of_turn(draft: Draft, view: ChannelView, id: InstanceId) -> None:
    """An end waits no longer for its turn, and is refused: the other need not either."""
    crossing = draft.hub_instance(id)
    if crossing is not None:
        let_go(draft, crossing, "the other end waits no longer", (view.id,))


# Rule pair-3.
def on_declined(draft: Draft, view: ChannelView, id: InstanceId, reason: str) -> None:
    """An end that we granted an instance says that it will not propose it: neither has to wait."""
    crossing = draft.hub_instance(id)
    if crossing is None or crossing.stage is not HubStage.OPENING:
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
    if half is not None and is_half(view, adding(crossing)):
        _look(draft, view, half)


def look_again(draft: Draft, id: InstanceId) -> None:
    """At halves that wait for a block: while our view was too old nobody could sign them."""
    crossing = draft.hub_instance(id)
    if crossing is None or crossing.stage not in (HubStage.OPENING, HubStage.CLOSING):
        return
    removing = Intent(Purpose.REMOVE, removes=id)
    for channel in (crossing.alice_channel, crossing.bob_channel):
        view = draft.channel(channel)
        if is_half(view, adding(crossing)) or is_half(view, removing):
            half = half_in(draft, view, id)
            if half is not None:
                _look(draft, view, half)


def on_agreed(draft: Draft, id: InstanceId) -> None:
    """A state that adds or removes the instance is fully signed in one of the two channels."""
    crossing, instance = draft.hub_instance(id), draft.instance(id)
    if crossing is None or (crossing.onward and paths.go_on(draft, crossing)):
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
        want(draft, view.id, Intent(Purpose.REMOVE, removes=id))


def give_up(
    draft: Draft, crossing: HubInstance, reason: str, answered: Sequence[ChannelId] = ()
) -> None:
    """Ends an opening of which nothing is signed: by states where halves are, else in words; not
    again in channels where the half is `answered`."""
    ids = (crossing.alice_channel, crossing.bob_channel)
    halves = [id for id in ids if is_half(draft.channel(id), adding(crossing))]
    refuse_halves(draft, crossing, reason)
    end_opening(draft, crossing, reason, (*halves, *answered))


def adding(crossing: HubInstance) -> Intent:
    """What a half that opens it does."""
    return Intent(Purpose.ADD, adds=crossing.id, removes=crossing.replaces)


def _halves(draft: Draft, crossing: HubInstance) -> list[ChannelView]:
    """Channels in which a half is here and not answered."""
    found = []
    for id in (crossing.alice_channel, crossing.bob_channel):
        view = draft.channel(id)
        held = view.held
        if held is None or held.answering:
            continue
        # What puts one in another's place is a half of the new one: the old one stays as it is.
        if crossing.id == (held.intent.adds or held.intent.removes):
            found.append(view)
    return found


def refuse_halves(draft: Draft, crossing: HubInstance, reason: str) -> None:
    """Refuses by a state each of these, where a state may be signed."""
    for view in _halves(draft, crossing):
        if blocked(draft, view) is None:
            refuse(draft, view.id, reason)


def waits_for_meeting(draft: Draft, crossing: HubInstance) -> bool:
    """Whether one of these is of somebody who has not shown its newest state since we started: it
    can be refused once that is so, and its channel is busy until then."""
    return any(_is_unmet(draft, view) for view in _halves(draft, crossing))


def _is_unmet(draft: Draft, view: ChannelView) -> bool:
    return blocked(draft, view) == NOT_MET


def free_others(draft: Draft, crossing: HubInstance, reason: str) -> None:
    """Whoever's half waits for a meeting holds no channel but its own."""
    unmet = [view.id for view in _halves(draft, crossing) if _is_unmet(draft, view)]
    for id in (crossing.alice_channel, crossing.bob_channel):
        view = draft.channel(id)
        if id not in unmet and view.inflight == crossing.id:
            draft.put(replace(view, inflight=None))
            refuse_one(draft, view, crossing.id, reason)
            start_next(draft, id)


def end_opening(
    draft: Draft, crossing: HubInstance, reason: str, but: Sequence[ChannelId] = ()
) -> None:
    """If nothing of it is signed, lets go of what was reserved."""
    if any(leg.status is not LegStatus.NEW for leg in draft.instance(crossing.id).legs):
        return
    let_go(draft, crossing, reason, but)
    start_next(draft, crossing.alice_channel, crossing.bob_channel)


def back_to_open(draft: Draft, id: InstanceId) -> None:
    """The ends go on using what they did not agree to close."""
    crossing = draft.hub_instance(id)
    if crossing is not None and crossing.stage is HubStage.CLOSING:
        draft.put(replace(crossing, stage=HubStage.OPEN, since=draft.chain.clock))
