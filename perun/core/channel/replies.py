"""What is said to a request for an instance: `GrantInstance`, `RefuseInstance`.

An end hears it from its hub, and a no from the other end too; a hub hears a no from an end, and
either from the next hub of a path.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.hub import pairs, paths
from perun.core.nanocontracts.instances import leg_in
from perun.core.state import ChannelView, PeerId
from perun.core.virtual import ends
from perun.encoding.messages import GrantInstance, RefuseInstance

__all__ = ["on_granted", "on_refused"]


def on_granted(draft: Draft, view: ChannelView, message: GrantInstance) -> None:
    """A hub would take it: we propose it, or say the same to the hub, or payer, before us.

    Raises:
        UnexpectedMessage: nothing that a correct hub sends.
    """
    crossing = draft.hub_instance(message.instance)
    if crossing is not None and crossing.onward:
        paths.on_grant(draft, crossing, view, message)
    else:
        ends.on_grant(draft, view, message)


def on_refused(draft: Draft, sender: PeerId, message: RefuseInstance) -> None:
    """Somebody does not want an instance that is not locked yet.

    Raises:
        UnexpectedMessage: it is none of this peer's.
    """
    instance = draft.find_instance(message.instance)
    if instance is None or instance.role is not None:
        ends.on_refused(draft, sender, message)
        return
    for leg in instance.legs:
        view = draft.channel(leg.channel)
        if view.peer == sender and leg_in(instance, view) is not None:
            crossing = draft.hub_instance(instance.id)
            if crossing is not None and crossing.onward:
                paths.on_declined(draft, view, crossing, message.reason)
                return
            pairs.on_declined(draft, view, instance.id, message.reason)
