"""An end's side of a virtual channel (protocol, section 6); its other side is `hub.pairs`.

Request, grant, proposal; `Ready` both ways; payments; then `leaving`. Messages between the ends go
through the hub, sealed.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import SignItem
from perun.core.faults import UnexpectedMessage
from perun.core.nanocontracts.instances import signer
from perun.core.nanocontracts.kinds import kind_of
from perun.core.nanocontracts.payments import show_paid
from perun.core.notices import InstanceRefused, VirtualReady
from perun.core.rules.accounting import gain
from perun.core.rules.keys import own_key
from perun.core.rules.phases import Phase, blocked, fresh, phase
from perun.core.rules.worth import greatest_fee_of
from perun.core.state import ChannelView, InstanceView, Intent, LegStatus, PeerId, Purpose, Role
from perun.core.states import legs
from perun.core.states.proposing import ask_hub, send_proposal, still_asked, want, wanted
from perun.crypto.keys import address_of
from perun.encoding.messages import (
    GrantInstance,
    ReadySigned,
    RefuseInstance,
    SignedHalf,
)
from perun.types import Address, MachineId, Ready, Signature, Wei

__all__ = [
    "may_propose_unasked",
    "on_added",
    "on_grant",
    "on_ready",
    "on_ready_signed",
    "on_refused",
    "refused",
    "request",
    "say_ready",
]


# Rule unasked-6.
def request(draft: Draft, instance: InstanceView, half: SignedHalf | None = None) -> None:
    """Asks the hub, unsigned, to let the instance cross it; with the other end's half, if it came.

    Not while a half of our own is unresolved: what the hub then granted could not be proposed, and
    those who wait for it, and those for whom we wait, could stand in a circle.
    """
    view = draft.channel(instance.legs[0].channel)
    added = [proposal.intent.adds for proposal in view.proposals]
    halves = [draft.find_instance(id) for id in added if id is not None]
    if any(other is not None and other.via for other in halves):
        # Whoever says the same again makes nothing longer.
        if all(waiting.adds != instance.id for waiting in view.intents):
            intent = Intent(Purpose.ADD, adds=instance.id, half=half, asks=True)
            draft.put(replace(view, intents=(intent, *view.intents)))
        return
    ask_hub(draft, instance, half)


# Rule unasked-6.
def may_propose_unasked(draft: Draft, instance: InstanceView) -> bool:
    """Whether our half may be signed before the hub has granted (section 6 [A12]).

    Only if nothing else goes on in the channel: the hub grants nothing there meanwhile.
    """
    view = draft.channel(instance.legs[0].channel)
    if phase(view, draft.chain) is not Phase.IDLE or view.intents:
        return False
    return blocked(draft, view) is None and not still_asked(draft, view)


# Rule fee-1.
def on_grant(draft: Draft, view: ChannelView, message: GrantInstance) -> None:
    """The hub has reserved: propose now, moving its fee. Only the instance's Alice pays one.

    Raises:
        UnexpectedMessage: nothing that a correct hub sends.
    """
    instance = draft.find_instance(message.instance)
    if instance is None or instance.role is None or instance.via != view.peer:
        raise UnexpectedMessage("GrantInstance", "no such instance over this hub")
    leg = instance.legs[0]
    if leg.channel != view.id:
        raise UnexpectedMessage("GrantInstance", "of another channel")
    for proposal in view.proposals:
        if proposal.intent.adds == instance.id and proposal.signature:
            send_proposal(draft, view, proposal)
    if leg.status is not LegStatus.NEW or any(i.adds == instance.id for i in wanted(view)):
        return
    if instance.replaces is not None and not _may_follow(draft, instance):
        return
    if instance.id in view.asked:
        draft.put(replace(view, asked=still_asked(draft, view, instance.id)))
    greatest = (
        greatest_fee_of(draft.config.policy, view.channel.asset)
        if instance.role is Role.ALICE
        else 0
    )
    # By a block that may be of another time no grant is over; the hub says whether it is.
    over = draft.now > message.valid_until and fresh(draft)
    if message.fee > greatest or over:
        reason = "its grant is over" if over else f"fee {message.fee} above {greatest}"
        draft.send(view.peer, RefuseInstance(instance.id, reason))
        refused(draft, instance, reason, b"")
        return
    fee = Wei(-gain(view.role, message.fee))
    purpose = Purpose.ADD if instance.replaces is None else Purpose.REPLACE
    want(draft, view.id, Intent(purpose, fee, instance.id, instance.replaces))


def _may_follow(draft: Draft, instance: InstanceView) -> bool:
    """Whether we are still leaving a machine for this one."""
    assert instance.replaces is not None
    old = draft.find_instance(instance.replaces)
    if old is None or old.legs[0].status is not LegStatus.LISTED:
        return False
    return old.leave_sent and old.successor == instance.id


def on_refused(draft: Draft, sender: PeerId, message: RefuseInstance) -> None:
    """The hub or the other end does not want an instance that we have not locked."""
    instance = draft.find_instance(message.instance)
    if instance is None or sender not in (instance.via, instance.end):
        raise UnexpectedMessage("RefuseInstance", "no such instance with this peer")
    view = draft.channel(instance.legs[0].channel)
    if sender == instance.via and instance.id in view.asked:
        draft.put(replace(view, asked=still_asked(draft, view, instance.id)))
    refused(draft, instance, message.reason, sender)


# Rule replace-6.
def refused(draft: Draft, instance: InstanceView, reason: str, by: PeerId) -> None:
    """Nobody adds it. What we have proposed already is resolved by a state, not by words [A7]; and
    what is to take another's place, which we are leaving for it, by an answer of that kind."""
    draft.notify(InstanceRefused(instance.id, reason, by))
    leg = instance.legs[0]
    if leg.status is not LegStatus.NEW:
        return
    view = draft.channel(leg.channel)
    left = tuple([intent for intent in view.intents if intent.adds != instance.id])
    if len(left) < len(view.intents) and instance.replaces is None:
        view = replace(view, intents=left)
        draft.put(view)
    if not any(intent.adds == instance.id for intent in wanted(view)):
        purpose = Purpose.ADD if instance.replaces is None else Purpose.REPLACE
        legs.stays(draft, Intent(purpose, Wei(0), instance.id, instance.replaces))


# ------------------------------------------------------------------------------------------ ready


# Rule ends-1.
def on_added(draft: Draft, instance: InstanceView) -> None:
    """Our channel lists it: say so to the other end, signed by the machine key [A2]."""
    if not instance.via or instance.ready_sent:
        return
    if not kind_of(instance.terms).readies:
        draft.notify(VirtualReady(instance.id))
        return
    if draft.books.exit_only:
        return
    view = draft.channel(instance.legs[0].channel)
    draft.sign(SignItem(own_key(view), Ready(MachineId(instance.id))))


def on_ready_signed(draft: Draft, ready: Ready, signature: Signature) -> None:
    """Our `Ready` leaves; from here on payments to us may arrive."""
    instance = draft.instance(ready.machine)
    if instance.legs[0].status not in (LegStatus.LISTED, LegStatus.REMOVING):
        return
    instance = replace(instance, ready_sent=True, own_ready=signature)
    draft.put(instance)
    say_ready(draft, instance)
    if instance.ready:
        draft.notify(VirtualReady(instance.id))


# Rule ends-1.
def say_ready(draft: Draft, instance: InstanceView, answer: bool = False) -> None:
    """Our `Ready`, for the first time or again; again with our newest statement."""
    message = ReadySigned(instance.id, instance.own_ready, answer)
    draft.send(instance.end, message, instance.via)
    show_paid(draft, instance)


def _ready_key(instance: InstanceView, role: Role) -> Address | None:
    """Whose word it is; a kind in which nobody signs has the end's own."""
    key = signer(instance.terms, role)
    if key is None and instance.via and kind_of(instance.terms).readies:
        return address_of(instance.end)
    return key


def on_ready(draft: Draft, sender: PeerId, message: ReadySigned) -> None:
    """The other end's channel lists it: from here on we may pay.

    Heard again, it means that the other end was away, and may have missed what we said.
    """
    instance = draft.find_instance(message.machine)
    key = None
    if instance is not None and instance.role is not None and instance.end == sender:
        key = _ready_key(instance, instance.role.other)
    if instance is None or key is None:
        raise UnexpectedMessage("ReadySigned", "no such machine with this peer")
    ready = Ready(MachineId(instance.id))
    if instance.ready:
        if instance.ready_sent and not message.answer:
            say_ready(draft, instance, answer=True)
        return
    draft.checker.check_loosely(ready, message.signature, key)
    draft.put(replace(instance, ready=message.signature))
    if instance.ready_sent:
        draft.notify(VirtualReady(instance.id))
