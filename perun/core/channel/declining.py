"""`RefuseInstance` heard: by an end, from its hub or the other end; by a hub, from an end."""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.hub import pairs
from perun.core.nanocontracts.instances import leg_in
from perun.core.state import PeerId
from perun.core.virtual import ends
from perun.encoding.messages import RefuseInstance

__all__ = ["on_refused"]


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
            pairs.on_declined(draft, view, instance.id, message.reason)
