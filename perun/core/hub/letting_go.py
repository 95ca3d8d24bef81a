"""A hub lets go of a crossing: of what it had reserved, and, in words, of whoever had asked."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.state import ChannelView, HubInstance, LegStatus
from perun.encoding.messages import RefuseInstance
from perun.types import ChannelId, InstanceId

__all__ = ["NOWHERE", "forget", "let_go", "refuse_one"]

NOWHERE: Final = ChannelId(bytes(32))
"""Where an end stands that has not asked yet."""


def forget(draft: Draft, crossing: HubInstance) -> None:
    """Lets go of what a crossing held; its channels serve the next pair.

    An instance that was never signed for is forgotten: asking costs nothing, keeping would.
    """
    instance = draft.find_instance(crossing.id)
    if instance is not None and all(leg.status is LegStatus.NEW for leg in instance.legs):
        draft.drop(instance)
        draft.drop(crossing)
    for id in (crossing.alice_channel, crossing.bob_channel):
        if id == NOWHERE:
            continue
        view = draft.channel(id)
        inflight = None if view.inflight == crossing.id else view.inflight
        waiting = tuple(other for other in view.waiting if other != crossing.id)
        if inflight != view.inflight or waiting != view.waiting:
            draft.put(replace(view, inflight=inflight, waiting=waiting))


def let_go(
    draft: Draft, crossing: HubInstance, reason: str, but: Container[ChannelId] = ()
) -> None:
    """Ends what nothing is signed of; in some channels a state tells the end."""
    for id in (crossing.alice_channel, crossing.bob_channel):
        if id != NOWHERE and id not in but:
            refuse_one(draft, draft.channel(id), crossing.id, reason)
    forget(draft, crossing)
    draft.drop(crossing)


def refuse_one(draft: Draft, view: ChannelView, id: InstanceId, reason: str) -> None:
    """Says no, in words: to an end that has signed nothing."""
    draft.send(view.peer, RefuseInstance(id, reason[:200]))
