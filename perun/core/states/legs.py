"""Where an instance stands in a channel, derived from the channel's states in this one place."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.nanocontracts.gate import follow
from perun.core.state import ChannelView, InstanceView, Intent, Leg, LegStatus
from perun.types import Gated, InstanceId, Nano

__all__ = ["put_states", "stays", "with_leg"]

_id: Callable[[Nano], InstanceId] = attrgetter("id")


def put_states(draft: Draft, *changes: tuple[ChannelView, ChannelView]) -> None:
    """Puts channels whose states have changed, each as it was and as it is, and the instances that
    stand elsewhere by that."""
    moved: dict[InstanceId, InstanceView] = {}
    for before, after in changes:
        first, *others = _listed(before)
        agreed, *signed = _listed(after)
        # What every list has, before and after, was listed and stays so.
        changed: set[InstanceId] = set()
        for ids in (*others, agreed, *signed):
            if ids != first:
                changed |= ids ^ first
        for id in sorted(changed) if len(changed) > 1 else changed:
            instance = moved.get(id) or draft.find_instance(id)
            if instance is None:
                continue
            for leg in instance.legs:
                if leg.channel == after.id:
                    status = _status(leg, id in agreed, [id in ids for ids in signed])
                    if status is not leg.status:
                        moved[id] = with_leg(instance, replace(leg, status=status))
    for instance in moved.values():
        if type(instance.terms) is Gated:
            follow(draft, instance)
    for _, after in changes:
        draft.put(after)
    for instance in moved.values():
        draft.put(instance)


def stays(draft: Draft, intent: Intent) -> None:
    """A change has come to nothing: what it would have removed may be paid in, or left, again, and
    what it would have added never is."""
    old = draft.find_instance(intent.removes) if intent.removes is not None else None
    if old is not None and old.leave_sent and old.successor == intent.adds:
        draft.put(replace(old, leave_sent=False, successor=None))
    new = draft.find_instance(intent.adds) if intent.adds is not None else None
    if new is not None:
        draft.put(replace(new, refused=True))


def with_leg(instance: InstanceView, leg: Leg) -> InstanceView:
    """The instance with one of its legs replaced."""
    legs = tuple([leg if old.channel == leg.channel else old for old in instance.legs])
    return replace(instance, legs=legs)


# Rule remove-4.
def _status(leg: Leg, listed: bool, signed: list[bool]) -> LegStatus:
    if listed:
        return LegStatus.LISTED if all(signed) else LegStatus.REMOVING
    if leg.status in (LegStatus.LISTED, LegStatus.REMOVING, LegStatus.REMOVED):
        return LegStatus.REMOVED
    return LegStatus.ADDING if any(signed) else LegStatus.NEW


def _listed(view: ChannelView) -> list[set[InstanceId]]:
    """What the newest fully signed state lists, then each that we have signed above it."""
    # By `map`, since every state of a channel passes here twice.
    agreed, held = view.agreed, view.held
    lists = [set(map(_id, agreed.state.nanos)) if agreed is not None else set()]
    for proposal in view.proposals:
        lists.append(set(map(_id, proposal.state.nanos)))
    if held is not None and held.answering:
        lists.append(set(map(_id, held.state.nanos)))
    return lists
