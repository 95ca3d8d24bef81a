"""What the ends of an instance do by themselves once it is listed, if its kind has anything to do.

Looked at again whenever an end may have learnt something, and at every block, so that nothing that
was lost on the way stays lost.
"""

from __future__ import annotations

from perun.core.books import Draft
from perun.core.faults import UnexpectedMessage
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.phases import blocked
from perun.core.state import InstanceView, LegStatus, PeerId
from perun.core.virtual import ends
from perun.core.virtual.leaving import propose_removal
from perun.encoding.messages import ReadySigned, RevealSecret
from perun.types import InstanceId, Ready, Signature

__all__ = ["act", "on_ready", "on_ready_signed", "on_secret"]


def act(draft: Draft, instance: InstanceView) -> None:
    """Tells the other end what we owe it, and proposes the removal once all is known."""
    leg = instance.legs[0]
    if instance.role is None or leg.status is not LegStatus.LISTED:
        return
    if blocked(draft, draft.channel(leg.channel)) is not None:
        return
    if kind_of(instance.terms).acts(draft, instance):
        propose_removal(draft, instance.id)


def on_ready(draft: Draft, sender: PeerId, message: ReadySigned) -> None:
    """See `ends.on_ready`."""
    ends.on_ready(draft, sender, message)
    act(draft, draft.instance(message.machine))


def on_ready_signed(draft: Draft, ready: Ready, signature: Signature) -> None:
    """See `ends.on_ready_signed`."""
    ends.on_ready_signed(draft, ready, signature)
    act(draft, draft.instance(InstanceId(ready.machine)))


def on_secret(draft: Draft, sender: PeerId, message: RevealSecret) -> None:
    """The other end has revealed; what we know already changes nothing.

    Raises:
        UnexpectedMessage: nothing that a correct peer sends.
    """
    instance = draft.find_instance(message.instance)
    if instance is None or instance.role is None or instance.end != sender:
        raise UnexpectedMessage("RevealSecret", "no such instance with this peer")
    if kind_of(instance.terms).hear(draft, instance, message.secret):
        act(draft, draft.instance(instance.id))
