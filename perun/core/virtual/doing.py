"""What the ends of an instance do by themselves once it is listed, if its kind has anything to do.

Looked at again whenever an end may have learnt something, and at every block, so that nothing that
was lost on the way stays lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from perun.core.books import Draft
from perun.core.faults import UnexpectedMessage
from perun.core.nanocontracts import evidence
from perun.core.nanocontracts.gate import sign_final
from perun.core.nanocontracts.kinds import KINDS, kind_of
from perun.core.rules.phases import blocked
from perun.core.state import ChannelView, InstanceView, LegStatus, PeerId
from perun.core.virtual import ends
from perun.core.virtual.leaving import propose_removal
from perun.encoding.messages import OfInstance, ReadySigned
from perun.types import InstanceId, Ready, Signature

__all__ = ["act", "on_ready", "on_ready_signed", "on_said", "on_signed", "order"]

# Any: of each only its kind knows what is in it.
_ORDERS: Final[dict[type, Callable[[Draft, Any], None]]] = {
    command: do for kind in KINDS.values() for command, do in kind.orders.items()
}
_SIGNED: Final[dict[type, Callable[[Draft, Any, Signature], InstanceId | None]]] = {
    message: do for kind in KINDS.values() for message, do in kind.signed.items()
}


def act(draft: Draft, instance: InstanceView) -> None:
    """Tells the other end what we owe it, and proposes the removal once all is known."""
    leg = instance.legs[0]
    if instance.role is None or leg.status is not LegStatus.LISTED:
        return
    if blocked(draft, draft.channel(leg.channel)) is not None:
        return
    if not kind_of(instance.terms).acts(draft, instance):
        return
    if instance.gate is None:
        propose_removal(draft, instance.id)
        return
    kind, totals = kind_of(instance.terms), draft.totals(instance.id)
    shift = kind.known(instance.terms, draft.instance(instance.id), totals)
    if shift is not None:
        sign_final(draft, draft.instance(instance.gate), shift)


def on_ready(draft: Draft, sender: PeerId, message: ReadySigned) -> None:
    """See `ends.on_ready`."""
    ends.on_ready(draft, sender, message)
    act(draft, draft.instance(message.machine))


def on_ready_signed(draft: Draft, ready: Ready, signature: Signature) -> None:
    """See `ends.on_ready_signed`."""
    ends.on_ready_signed(draft, ready, signature)
    act(draft, draft.instance(InstanceId(ready.machine)))


def on_said(draft: Draft, sender: PeerId, message: OfInstance) -> None:
    """The other end says something of an instance: its kind takes it up.

    Raises:
        UnexpectedMessage: nothing that a correct peer sends.
    """
    instance = draft.find_instance(message.instance)
    if instance is None or instance.role is None or instance.end != sender:
        raise UnexpectedMessage(type(message).__name__, "no such instance with this peer")
    if kind_of(instance.terms).hear(draft, instance, message):
        _carry_out(draft, instance.id)


def order(draft: Draft, view: ChannelView, command: Any) -> None:  # noqa: ARG001
    """Our user asks for something in an instance: its kind does it, and what follows."""
    _ORDERS[type(command)](draft, command)
    _carry_out(draft, command.instance)


def on_signed(draft: Draft, message: Any, signature: Signature) -> None:
    """Our signer has signed something of an instance's."""
    id = _SIGNED[type(message)](draft, message, signature)
    if id is not None:
        _carry_out(draft, id)


def _carry_out(draft: Draft, id: InstanceId) -> None:
    act(draft, draft.instance(id))
    evidence.duties(draft, draft.instance(id))
