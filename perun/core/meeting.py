"""Meeting a peer, for the first time since we started or again (protocol, section 5, Meeting).

A store may be older than it looks: a copy put back whole cannot be told by its own machine. But the
peer knows. So after every start nothing is signed in a channel, payments included, before the peer
has shown its newest state there. What the chain must hear from us never waits for it.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel import joining, offers, proposals
from perun.core.effects import SignItem
from perun.core.hub.queue import start_next
from perun.core.inputs import Connected
from perun.core.nanocontracts.kinds import kind_of
from perun.core.nanocontracts.payments import ask_again, show_paid
from perun.core.rules.keys import own_key
from perun.core.state import ChannelView, InstanceView, LegStatus, PeerId, Role, Stage
from perun.core.states.proposing import answer, propose_next, resend, show
from perun.core.virtual import ends
from perun.core.virtual.invitations import invite_again
from perun.encoding.messages import OfferChannel, ShowState

__all__ = ["on_connected", "on_offer", "on_show"]


# Rule meet-2.
def on_connected(draft: Draft, input: Connected) -> None:
    """Shows and sends again, unchanged, whatever is open with a peer."""
    for id in draft.books.indexes.of_peer.get(input.peer, ()):
        view = draft.channel(id)
        if view.final.ended:
            continue
        if view.stage is Stage.OFFERED:
            joining.send_again(draft, view)
            continue
        if view.stage is Stage.INVITED:
            continue
        if view.role is Role.BOB and view.agreed is None:
            joining.send_again(draft, view)
        show(draft, view, asks=not view.met)
        resend(draft, view)
        offers.resend(draft, draft.channel(view.id))
    if input.peer not in draft.books.ends and input.peer not in draft.books.indexes.of_peer:
        return
    for instance in draft.books.instances.values():
        if input.peer in (instance.end, instance.via):
            _say_again(draft, instance)
    for invitation in draft.books.invitations.values():
        if invitation.end == input.peer:
            invite_again(draft, invitation)


def on_show(draft: Draft, view: ChannelView, message: ShowState) -> None:
    """The peer shows its newest state.

    Raises:
        BadSignature, UnexpectedMessage: what it shows is none.
    """
    proposals.on_show(draft, view, message)
    view = draft.channel(view.id)
    if message.asks:
        show(draft, view)
    _meet(draft, view)


def on_offer(draft: Draft, sender: PeerId, message: OfferChannel) -> None:
    """A peer offers a channel. Said again, it shows that the peer has no state of it yet."""
    joining.on_offer(draft, sender, message)
    known = joining.offered(draft, sender, message)
    if known is not None:
        _meet(draft, known)


# Rules meet-1, meet-3.
def _meet(draft: Draft, view: ChannelView) -> None:
    """From here on we sign: first what was asked of our signer before we started, and not signed.

    Signers are deterministic or remember: the same request gets a signature of the same content, so
    no version ever has two.
    """
    if view.met:
        return
    view = replace(view, met=True)
    draft.put(view)
    if draft.exit_only or view.final.ended:
        return
    for proposal in view.proposals:
        if not proposal.signature:
            draft.sign(SignItem(own_key(view), proposal.state))
    _answer_again(draft, view)
    offers.sign_again(draft, view)
    joining.sign_again(draft, view)
    if view.agreed is not None:
        for nano in view.agreed.state.nanos:
            instance = draft.find_instance(nano.id)
            if instance is not None:
                _sign_again(draft, instance)
                _say_again(draft, draft.instance(nano.id))
    propose_next(draft, view.id)
    start_next(draft, view.id)


def _answer_again(draft: Draft, view: ChannelView) -> None:
    """A hub's two answers are one request, so both channels must be met."""
    if view.held is None or not view.held.answering:
        return
    id = view.held.intent.adds or view.held.intent.removes
    crossing = draft.hub_instance(id) if id is not None else None
    ids = {view.id} if crossing is None else {view.id, crossing.alice_channel, crossing.bob_channel}
    views = [draft.channel(one) for one in ids]
    same = [
        one
        for one in views
        if one.held is not None
        and one.held.answering
        and id in (one.held.intent.adds, one.held.intent.removes)
    ]
    if all(one.met for one in same):
        answer(draft, *sorted(same, key=lambda one: one.id))


def _sign_again(draft: Draft, instance: InstanceView) -> None:
    kind_of(instance.terms).ask_again(draft, instance)
    if instance.role is None or not kind_of(instance.terms).readies:
        return
    if instance.legs[0].status is LegStatus.LISTED:
        ends.on_added(draft, instance)
    ask_again(draft, instance)


def _say_again(draft: Draft, instance: InstanceView) -> None:
    """What the other end of a machine may have missed, or refused because it had not met us."""
    if instance.role is None or instance.legs[0].status is not LegStatus.LISTED:
        return
    if instance.ready_sent:
        ends.say_ready(draft, instance)
    else:
        show_paid(draft, instance)
