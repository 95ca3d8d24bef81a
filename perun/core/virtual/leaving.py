"""How both ends stop paying in a virtual channel: to close it, or for another in its place.

`Leave` both ways, each with the sender's totals and last statement; then each end proposes the
removal with the same totals, or asks the hub to let a successor take the place (section 6).
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import NotAllowedNow, UnexpectedMessage
from perun.core.nanocontracts.machine import paid_by
from perun.core.nanocontracts.payments import accept
from perun.core.state import ChannelView, InstanceView, Intent, LegStatus, PeerId, Purpose, Role
from perun.core.states.proposing import want, wanted
from perun.core.virtual.ends import refused, request
from perun.encoding.messages import Leave, RefuseInstance
from perun.types import InstanceId

__all__ = ["leave", "on_leave", "propose_removal", "remind"]


# Rule close-1.
def leave(draft: Draft, instance: InstanceView, successor: InstanceId | None = None) -> None:
    """Stops paying and tells the other end our totals; also again, after a refusal or a loss.

    Then it is closed, or `successor` takes its place.
    """
    leg = instance.legs[0]
    if leg.status is not LegStatus.LISTED:
        raise NotAllowedNow("close it", "our channel does not list it, or its removal is signed")
    if instance.successor is not None and _is_going(draft.channel(leg.channel), instance.id):
        raise NotAllowedNow("close it", "another is about to take its place")
    _leave(draft, instance, successor)


def _leave(draft: Draft, instance: InstanceView, successor: InstanceId | None) -> None:
    if not instance.leave_sent or instance.successor != successor:
        instance = replace(instance, left_at=draft.chain.clock)
    instance = replace(instance, leave_sent=True, successor=successor)
    draft.put(instance)
    _tell(draft, instance)


# Rule close-1.
def remind(draft: Draft, instance: InstanceView) -> None:
    """Once a block, while the other end has not answered our `Leave`: a hub may have lost it.

    For a successor that a hub neither grants nor refuses nobody waits for longer than a request
    may wait there: the machine is good for payments again.
    """
    if not instance.leave_sent or instance.legs[0].status is not LegStatus.LISTED:
        return
    new = None if instance.successor is None else draft.find_instance(instance.successor)
    if new is not None and draft.chain.waited(instance.left_at) > 31 * draft.config.limits.patience:
        refused(draft, new, "the hub has not answered in time", b"")
    if draft.instance(instance.id).leave_sent:
        _tell(draft, instance)


def _tell(draft: Draft, instance: InstanceView) -> None:
    totals = draft.totals(instance.id)
    message = Leave(
        instance.id,
        paid_by(instance, totals, Role.ALICE),
        paid_by(instance, totals, Role.BOB),
        totals.sent_signature,
        instance.successor,
    )
    draft.send(instance.end, message, instance.via)


# Rules close-2, replace-2.
def on_leave(draft: Draft, sender: PeerId, message: Leave) -> None:
    """The other end pays no more: take its last statement, agree on totals.

    As soon as we know all it has paid we propose the removal, or ask the hub to let the successor
    take the place; our answer lets it do the same.
    """
    instance = draft.find_instance(message.machine)
    if instance is None or instance.role is None or instance.end != sender:
        raise UnexpectedMessage("Leave", "no such machine with this peer")
    if instance.legs[0].status is not LegStatus.LISTED or instance.machine is None:
        return
    named = (message.paid_by_alice, message.paid_by_bob)
    theirs, ours = named[instance.role.other], named[instance.role]
    totals = draft.totals(instance.id)
    if ours > totals.sent:
        raise UnexpectedMessage("Leave", "it names more than we have paid")
    if theirs > totals.received and not accept(draft, instance, theirs, message.signature):
        return
    new = None
    if message.successor is not None:
        new = _successor(draft, instance, message.successor)
        if new is None:
            refusal = RefuseInstance(message.successor, "it does not take that place")
            draft.send(instance.end, refusal, instance.via)
            return
    instance = draft.instance(instance.id)
    successor = _aim(draft, instance, new)
    totals = draft.totals(instance.id)
    if not instance.leave_sent or ours < totals.sent or successor != instance.successor:
        _leave(draft, instance, successor)
    if successor is None:
        propose_removal(draft, instance.id)
    elif (
        new is not None
        and new.id == successor
        and not _is_going(draft.channel(instance.legs[0].channel), instance.id)
    ):
        request(draft, new)


def _successor(draft: Draft, old: InstanceView, id: InstanceId) -> InstanceView | None:
    """What was agreed on to take an instance's place, and not refused since."""
    new = draft.find_instance(id)
    if new is None or new.replaces != old.id or new.refused:
        return None
    return new


# Rule replace-7.
def _aim(draft: Draft, old: InstanceView, theirs: InstanceView | None) -> InstanceId | None:
    """What we leave for when the other end leaves for `theirs`; both ends come to the same.

    Closing goes before replacing, and of two successors the one that the machine's Alice invited
    to. What waits for its proposal is not changed any more: a state resolves it.
    """
    if old.leave_sent and _is_going(draft.channel(old.legs[0].channel), old.id):
        return old.successor
    if theirs is None or (old.leave_sent and old.successor is None):
        return None
    ours = _successor(draft, old, old.successor) if old.successor is not None else None
    if ours is None or (ours.role is not theirs.role and theirs.role is old.role):
        return theirs.id
    return ours.id


def _is_going(view: ChannelView, id: InstanceId) -> bool:
    return any(intent.removes == id for intent in wanted(view))


def propose_removal(draft: Draft, id: InstanceId) -> None:
    """Wants the removal in our own channel, unless it is wanted already."""
    view = draft.channel(draft.instance(id).legs[0].channel)
    if not _is_going(view, id):
        want(draft, view.id, Intent(Purpose.REMOVE, removes=id))
