"""An instance begins: both halves of its salt are there, so its terms are whole (sections 4 and 5).

The inviter is its Alice. Nobody could prepare it or submit to it beforehand [A4], and from here on
we watch it.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.effects import Watch
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.instances import (
    app_of,
    instance_id,
)
from perun.core.rules.keys import peer_key
from perun.core.state import (
    ChannelView,
    InstanceView,
    Leg,
    LegStatus,
    PeerId,
    Role,
)
from perun.crypto.keys import address_of
from perun.errors import BadKey
from perun.types import (
    Address,
    InstanceId,
    Salt,
    Terms,
)

__all__ = ["address_of_end", "begin", "end_key"]


# Rule ends-2.
def begin(
    draft: Draft,
    view: ChannelView,
    whole: Terms,
    role: Role,
    end: PeerId,
    via: PeerId,
    replaces: InstanceId | None,
    secret: bytes,
    invitation: Salt,
) -> InstanceView:
    """The instance with its final terms, watched from now on."""
    id = instance_id(draft.config.deployment, whole)
    known = draft.find_instance(id)
    if known is not None:
        return known
    legs = (Leg(view.id, swapped=view.role is not role),)
    secrets = (secret, b"") if role is Role.ALICE else (b"", secret)
    instance = InstanceView(
        id,
        whole,
        legs,
        role,
        end,
        via,
        replaces=replaces,
        secrets=secrets,
        invitation=invitation,
    )
    if via:
        _make_room(draft, via)
    draft.put(instance)
    draft.watch(Watch(app=app_of(draft.config.deployment, whole), instance=id))
    return instance


def _make_room(draft: Draft, via: PeerId) -> None:
    """Before another instance over a hub is kept.

    Ends behind a hub are free too, for the hub: of all of its ends only so many, the newest.
    Nothing is lost with what no state lists, and nobody can fill the room for others. What is to
    take another's place stays: that one waits for it, and its lock was paid for.
    """
    books, most = draft.books, draft.config.limits.unsigned_per_hub
    if sum(map(len, books.unsigned.values())) < most:
        return
    instances = books.instances.values()
    waiting = [one for one in instances if one.via == via and _is_idle(one)]
    for oldest in waiting[: max(0, len(waiting) - most + 1)]:
        draft.drop(oldest)


def _is_idle(instance: InstanceView) -> bool:
    return instance.legs[0].status is LegStatus.NEW and instance.replaces is None


def end_key(view: ChannelView, end: PeerId) -> Address:
    """The key by which an end signs: the channel's peer by the one that stands in its terms."""
    return address_of_end(end) if end and end != view.peer else peer_key(view)


def address_of_end(peer: PeerId) -> Address:
    """The address of a peer's key; raises `InstanceRejected`."""
    try:
        return address_of(peer)
    except BadKey as error:
        raise InstanceRejected(str(error)) from None
