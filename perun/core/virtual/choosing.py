"""Which of our channels an instance is locked in, and whether it can take another's place there.

An invitation to something in a channel of two names it; over a hub whoever is invited chooses.
"""

from __future__ import annotations

from collections import Counter

from perun.core.books import Draft
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.instances import (
    untouched,
)
from perun.core.state import (
    ChannelView,
    InstanceView,
    LegStatus,
    PeerId,
    Stage,
)
from perun.core.states.content import agreed_content
from perun.encoding.messages import Invite
from perun.types import (
    Asset,
    ChannelId,
    InstanceId,
    Machine,
)

__all__ = ["channel_for", "why_stays"]


# Rule ends-4.
def channel_for(draft: Draft, sender: PeerId, via: PeerId, message: Invite) -> ChannelView:
    """The channel of ours that the instance would be locked in."""
    if message.replaces is not None:
        return _place_of(draft, sender, via, message, message.replaces)
    if not via:
        if message.channel is None:
            raise InstanceRejected("which channel?")
        view = draft.channel(ChannelId(message.channel))
        if view.peer != sender:
            raise InstanceRejected("not our channel")
        return view
    if message.channel is not None:
        # Else whoever seals it chooses which of our channels with the hub it lands in.
        raise InstanceRejected("it comes over a hub and names a channel")
    with_hub = map(draft.channel, draft.books.indexes.with_peer(via, Asset(message.asset)))
    candidates = [view for view in with_hub if _lives(view)]
    if not candidates:
        raise InstanceRejected("no channel with that hub in that asset")
    if len(candidates) == 1:
        return candidates[0]
    # The least busy one: whose states list, or will list, the fewest instances.
    coming = Counter(
        leg.channel
        for ids in draft.books.unsigned.values()
        for id in ids
        for leg in draft.books.instances[id].legs
    )
    return min(candidates, key=lambda view: coming[view.id] + _in_use(view))


def _lives(view: ChannelView) -> bool:
    """Whether states are still signed in it: not refused, not left, not about to be closed."""
    return (
        view.stage is Stage.JOINED
        and not view.leaving
        and not view.head.ended
        and view.head.dispute is None
        and view.close is None
    )


def _place_of(
    draft: Draft, sender: PeerId, via: PeerId, message: Invite, replaces: InstanceId
) -> ChannelView:
    """The channel of ours that lists what would be replaced."""
    old = draft.find_instance(replaces)
    if old is None or (old.end, old.via) != (sender, via) or not isinstance(message.terms, Machine):
        raise InstanceRejected("nothing to replace")
    why = why_stays(old)
    if why is not None:
        raise InstanceRejected(why)
    view = draft.channel(old.legs[0].channel)
    if message.channel != (None if via else view.id) or message.asset != view.channel.asset:
        raise InstanceRejected("it replaces a machine of another channel")
    return view


def _in_use(view: ChannelView) -> int:
    _, nanos = agreed_content(view)
    return len(nanos) + len(view.proposals) + len(view.intents) + (view.held is not None)


def why_stays(old: InstanceView) -> str | None:
    """Why nothing can take an instance's place now; None: a machine can."""
    if old.machine is None or old.role is None:
        return "only an end replaces a machine"
    if old.route or old.far:
        return "it crosses several hubs: open another beside it"
    if old.legs[0].status is not LegStatus.LISTED:
        return "it is not listed, or its removal is signed"
    if old.leave_sent:
        return "it is being closed, or replaced"
    if not untouched(old):
        return "it was submitted: the chain decides it"
    return None
