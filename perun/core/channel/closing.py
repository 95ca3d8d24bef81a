"""A Close: both sign that the channel ends where its newest state stands, without nanos.

Until it is mined or has lapsed in a final block its signer signs nothing else in that channel.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel.offers import life, own_open, submit
from perun.core.effects import SignItem
from perun.core.faults import NotAllowedNow, PeerNotAllowed
from perun.core.inputs import CommandClose
from perun.core.notices import CloseAgreed
from perun.core.rules.keys import alice_first, own_key, peer_key
from perun.core.rules.phases import NOT_MET, fresh
from perun.core.state import ChannelView, CloseOffer, Role
from perun.core.states.content import agreed_content
from perun.encoding.messages import AnswerClose, OfferClose
from perun.types import Close, Signature, UnixTime

__all__ = ["close", "on_answer_close", "on_close_signed", "on_offer_close", "why_no_close"]


def close(draft: Draft, view: ChannelView, command: CommandClose) -> None:  # noqa: ARG001
    """Offers to end the channel at its newest state."""
    why = why_no_close(draft, view)
    if why is not None:
        raise NotAllowedNow("close", why)
    valid_until = UnixTime(draft.now + life(draft, view))
    alice, bob = alice_first(view, view.funding.own_to_credit, view.funding.peer_to_credit)
    offer = Close(view.id, agreed_content(view)[0], valid_until, int(alice) | int(bob) << 1)
    _sign_close(draft, view, CloseOffer(offer, proposer=True))


# Rules offer-1, offer-5, fresh-2.
def why_no_close(draft: Draft, view: ChannelView) -> str | None:
    """Why a Close may not be signed; exit-only stores come here on their user's word only."""
    _, nanos = agreed_content(view)
    if nanos:
        return "instances are listed: remove them first"
    if view.proposals or view.held is not None:
        return "a proposal is unresolved"
    if view.deposits or own_open(view):
        return "a deposit of ours, or an Open we signed, is on its way"
    if view.close is not None and view.close.proposer and view.role is Role.ALICE:
        return "a Close that we signed is alive"
    if view.head.ended or view.final.ended or view.leaving:
        return "the channel has ended, or we are leaving it"
    if not fresh(draft):
        return "our view of the chain is too old"
    if not view.met:
        return NOT_MET
    dispute = view.head.dispute
    if dispute is not None and (
        dispute.settling or draft.now + draft.config.limits.margin >= dispute.deadline
    ):
        return "the dispute ends too soon, or is decided"
    return None


def _sign_close(draft: Draft, view: ChannelView, offer: CloseOffer) -> None:
    if view.close is not None:
        # The other end may still bring it to the chain, however soon the new one lapses.
        until = max(view.close.close.valid_until, view.close.alive_until)
        offer = replace(offer, alive_until=until)
    draft.put(replace(view, close=offer))
    draft.sign(SignItem(own_key(view), offer.close))


def on_close_signed(draft: Draft, close: Close, signature: Signature) -> None:
    """Our signature of a Close leaves; from now on nothing else is signed here until it lapses."""
    view = draft.channel(close.channel)
    if view.close is None or view.close.close != close:
        return
    offer = replace(view.close, own=signature)
    view = replace(view, close=offer)
    draft.put(view)
    if offer.proposer:
        draft.send(view.peer, OfferClose(close, signature))
    else:
        draft.send(view.peer, AnswerClose(view.id, signature))
        draft.notify(CloseAgreed(view.id, close.valid_until))


# Rule offer-3.
def on_offer_close(draft: Draft, view: ChannelView, message: OfferClose) -> None:
    """The peer offers to end the channel: agree if it is what we hold as the newest state.

    When both offer at once Alice's offer stands, and Bob answers it although his own is alive: it
    moves the same money.
    """
    offer = message.close
    if view.close is not None and view.close.close == offer:
        if view.close.own:
            draft.send(view.peer, AnswerClose(view.id, view.close.own))
        return
    draft.checker.check(offer, message.signature, peer_key(view))
    why = why_no_close(draft, view)
    if why is None and view.close is not None and not view.close.proposer:
        why = "a Close that we signed is alive"
    if why is None and offer.net != agreed_content(view)[0]:
        why = "not at our newest state's net"
    if why is None and not draft.now <= offer.valid_until <= draft.now + view.channel.challenge:
        why = "valid for too long, or over"
    own_bit = 1 << view.role
    if why is None and bool(offer.to_credit & own_bit) is not view.funding.own_to_credit:
        why = "we are not paid where we want to be"
    if why is None and (draft.books.exit_only or not draft.config.policy.close):
        why = "our user has to decide"
    if why is not None:
        raise PeerNotAllowed("OfferClose", why)
    _sign_close(draft, view, CloseOffer(offer, peer=message.signature))


def on_answer_close(draft: Draft, view: ChannelView, message: AnswerClose) -> None:
    """Both have signed: bring it to the chain."""
    offer = view.close
    if offer is None or not offer.proposer or offer.peer:
        return
    draft.checker.check(offer.close, message.signature, peer_key(view))
    view = replace(view, close=replace(offer, peer=message.signature))
    draft.put(view)
    draft.notify(CloseAgreed(view.id, offer.close.valid_until))
    submit(draft, view)
