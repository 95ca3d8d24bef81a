"""Where an instance stands in a channel, derived from the channel's states in this one place."""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.state import ChannelView, InstanceView, Leg, LegStatus
from perun.types import InstanceId, State

__all__ = ["refresh", "with_leg"]


def refresh(draft: Draft, before: ChannelView, after: ChannelView) -> None:
    """Brings the legs of every instance that either view mentions up to date."""
    states = (*_states(before), *_states(after))
    if not states:
        return
    first = states[0].nanos
    if (before.agreed is not None or not first) and all(s.nanos == first for s in states):
        return  # Nothing comes or goes in any state: the usual transfer.
    ids: set[InstanceId] = set()
    for state in states:
        ids.update(nano.id for nano in state.nanos)
    full = frozenset(nano.id for nano in after.agreed.state.nanos) if after.agreed else frozenset()
    signed = [frozenset(nano.id for nano in state.nanos) for state in _signed_above(after)]
    for id in ids:
        instance = draft.find_instance(id)
        if instance is None:
            continue
        for leg in instance.legs:
            if leg.channel == after.id:
                status = _status(leg, id in full, [id in listed for listed in signed])
                if status is not leg.status:
                    draft.put(with_leg(instance, replace(leg, status=status)))


def with_leg(instance: InstanceView, leg: Leg) -> InstanceView:
    """The instance with one of its legs replaced."""
    legs = tuple(leg if old.channel == leg.channel else old for old in instance.legs)
    return replace(instance, legs=legs)


def _status(leg: Leg, listed: bool, signed: list[bool]) -> LegStatus:
    if listed:
        return LegStatus.LISTED if all(signed) else LegStatus.REMOVING
    if leg.status in (LegStatus.LISTED, LegStatus.REMOVING, LegStatus.REMOVED):
        return LegStatus.REMOVED
    return LegStatus.ADDING if any(signed) else LegStatus.NEW


def _signed_above(view: ChannelView) -> list[State]:
    """States that we have signed and that are not fully signed: all are above the newest full."""
    states = [proposal.state for proposal in view.proposals]
    if view.held is not None and view.held.answering:
        states.append(view.held.state)
    return states


def _states(view: ChannelView) -> list[State]:
    states = _signed_above(view)
    if view.agreed is not None:
        states.append(view.agreed.state)
    return states
