"""A hub's patience: whatever waits for somebody has an end, so that nobody is left waiting [C2]."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.hub import pairs, paths
from perun.core.hub.judge import half_in, pays_alone
from perun.core.hub.letting_go import let_go
from perun.core.rules.phases import fresh
from perun.core.state import HubInstance, HubStage, Intent, Purpose
from perun.core.states.proposing import answer
from perun.types import InstanceId

__all__ = ["overdue", "sees_again"]


# Rule pair-4.
def overdue(draft: Draft, crossing: HubInstance) -> None:
    """Looks at one crossing at every tick."""
    if crossing.onward and paths.overdue(draft, crossing):
        return
    patience = draft.config.limits.patience
    waited = draft.chain.waited(crossing.since)
    if crossing.stage is HubStage.OPEN:
        # Left from a closing that was given up before we had met its peer again.
        if fresh(draft):
            pairs.refuse_halves(draft, crossing, "the other end has not proposed the same in time")
    elif crossing.stage is HubStage.REQUESTED:
        if waited > (30 * patience if all(crossing.requested) else patience):
            let_go(draft, crossing, "the other end, or a channel, kept us waiting")
    elif waited <= patience:
        return
    elif crossing.stage is HubStage.HALF:
        draft.put(replace(crossing, since=draft.chain.clock))
        pairs.follow(draft, crossing.id)
    elif crossing.stage is HubStage.OPENING:
        if waited <= draft.config.limits.freshness and _waits_for_view(draft, crossing):
            return
        pairs.refuse_halves(draft, crossing, "the other end has not proposed in time")
        if pairs.waits_for_meeting(draft, crossing):
            pairs.free_others(draft, crossing, "the other end does not show itself")
            return
        pairs.end_opening(draft, crossing, "not complete in time")
    elif crossing.stage is HubStage.CLOSING and fresh(draft):
        for channel in (crossing.alice_channel, crossing.bob_channel):
            view = draft.channel(channel)
            half = half_in(draft, view, crossing.id)
            removes = pairs.is_half(view, Intent(Purpose.REMOVE, removes=crossing.id))
            if half is not None and removes and pays_alone(draft, view, half):
                answer(draft, view)
                return
        pairs.refuse_halves(draft, crossing, "the other end has not proposed the same in time")
        pairs.back_to_open(draft, crossing.id)


def _waits_for_view(draft: Draft, crossing: HubInstance) -> bool:
    """What is missing is our own view: while it is old nobody's half is heard, and of an instance
    that the chain has not told about none is signed."""
    if not fresh(draft):
        return True
    pair = (draft.channel(crossing.alice_channel), draft.channel(crossing.bob_channel))
    halves = all(pairs.is_half(view, pairs.adding(crossing)) for view in pair)
    return halves and not draft.instance(crossing.id).watched


# Rule pair-4.
def sees_again(draft: Draft, id: InstanceId) -> None:
    """Our view was too old to hear halves, and is no longer: they are said again within patience,
    which begins anew."""
    crossing = draft.hub_instance(id)
    if crossing is not None and crossing.stage is HubStage.OPENING:
        draft.put(replace(crossing, since=draft.chain.clock))
