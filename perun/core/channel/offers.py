"""Standing offers: Close and Withdraw, which live outside monotone signing [A8].

A Close is signed only for the newest fully signed state, without nanos; until it is mined or has
lapsed in a final block its signer signs nothing else in that channel. A Withdraw is signed only if
every state in sight stays solvent with every live offer taken at once.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import CloseChannel, SignItem, WithdrawMoney
from perun.core.faults import NotAllowedNow, PeerNotAllowed
from perun.core.inputs import CommandClose, CommandWithdraw
from perun.core.notices import CloseAgreed, WithdrawAgreed
from perun.core.rules.accounting import reliable_holdings, solvent
from perun.core.rules.keys import alice_first, own_key, peer_key
from perun.core.rules.phases import NOT_MET, blocked, fresh
from perun.core.state import ChannelView, CloseOffer, Role, WithdrawOffer
from perun.core.states.content import agreed_content
from perun.encoding.messages import AnswerClose, AnswerWithdraw, OfferClose, OfferWithdraw
from perun.types import Close, Signature, State, UnixTime, Version, Wei, Withdraw

__all__ = [
    "ask_again",
    "close",
    "expire",
    "on_answer_close",
    "on_answer_withdraw",
    "on_close_signed",
    "on_offer_close",
    "on_offer_withdraw",
    "on_withdraw_signed",
    "resend",
    "sign_again",
    "submit",
    "withdraw",
]


# ------------------------------------------------------------------------------------------ close


def close(draft: Draft, view: ChannelView, command: CommandClose) -> None:  # noqa: ARG001
    """Offers to end the channel at its newest state."""
    why = why_no_close(draft, view)
    if why is not None:
        raise NotAllowedNow("close", why)
    valid_until = UnixTime(draft.now + _life(draft, view))
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
    if view.deposits or _own_open(view):
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


def _own_open(view: ChannelView) -> bool:
    return any(offer.ours for offer in view.opens)


def _life(draft: Draft, view: ChannelView) -> int:
    return min(draft.config.limits.offer_validity, view.channel.challenge)


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


# --------------------------------------------------------------------------------------- withdraw


def withdraw(draft: Draft, view: ChannelView, command: CommandWithdraw) -> None:
    """Offers to pay out of the channel."""
    alice, bob = alice_first(view, command.own_amount, command.peer_amount)
    valid_until = UnixTime(draft.now + _life(draft, view))
    withdrawal = Withdraw(view.id, view.final.withdrawals, alice, bob, valid_until)
    why = why_no_withdraw(draft, view, withdrawal)
    if why is not None:
        raise NotAllowedNow("withdraw", why)
    _sign_withdraw(draft, view, WithdrawOffer(withdrawal, proposer=True))


# Rules offer-4, offer-5.
def why_no_withdraw(draft: Draft, view: ChannelView, withdrawal: Withdraw) -> str | None:
    """Why a Withdraw may not be signed: something in sight would no longer be solvent."""
    why = blocked(draft, view)
    if why is not None:
        return why
    if view.deposits or _own_open(view):
        return "a deposit of ours, or an Open we signed, is on its way"
    if withdrawal.index != view.final.withdrawals or withdrawal.index != view.head.withdrawals:
        return "another withdrawal is not final yet"
    if any(offer.withdraw.index == withdrawal.index for offer in view.withdraws):
        return "a Withdraw that we signed is alive"
    alice, bob = reliable_holdings(view)
    after = (alice - withdrawal.alice_amount, bob - withdrawal.bob_amount)
    states = [proposal.state for proposal in view.proposals]
    if view.held is not None:
        states.append(view.held.state)
    net, nanos = agreed_content(view)
    states.append(State(view.id, Version(0), net, nanos))
    if not all(solvent(after, state) for state in states):
        return "a state that may still count would not be solvent"
    return None


def _sign_withdraw(draft: Draft, view: ChannelView, offer: WithdrawOffer) -> None:
    draft.put(replace(view, withdraws=(*view.withdraws, offer)))
    draft.sign(SignItem(own_key(view), offer.withdraw))


def on_withdraw_signed(draft: Draft, withdrawal: Withdraw, signature: Signature) -> None:
    """Our signature of a Withdraw leaves."""
    view = draft.channel(withdrawal.channel)
    for offer in view.withdraws:
        if offer.withdraw == withdrawal:
            signed = replace(offer, own=signature)
            view = _with_withdraw(draft, view, offer, signed)
            if offer.proposer:
                draft.send(view.peer, OfferWithdraw(withdrawal, signature))
            else:
                draft.send(view.peer, AnswerWithdraw(view.id, withdrawal.index, signature))
                draft.notify(WithdrawAgreed(view.id, withdrawal.valid_until))
            return


def on_offer_withdraw(draft: Draft, view: ChannelView, message: OfferWithdraw) -> None:
    """The peer offers a payout: agree if every state in sight stays solvent."""
    withdrawal = message.withdraw
    for offer in view.withdraws:
        if offer.withdraw == withdrawal:
            if offer.own:
                draft.send(view.peer, AnswerWithdraw(view.id, withdrawal.index, offer.own))
            return
    draft.checker.check(withdrawal, message.signature, peer_key(view))
    why = why_no_withdraw(draft, view, withdrawal)
    last = draft.now + view.channel.challenge
    if why is None and not draft.now <= withdrawal.valid_until <= last:
        why = "valid for too long, or over"
    if why is None and not draft.config.policy.withdraw:
        why = "our user has to decide"
    if why is not None:
        raise PeerNotAllowed("OfferWithdraw", why)
    _sign_withdraw(draft, view, WithdrawOffer(withdrawal, peer=message.signature))


def on_answer_withdraw(draft: Draft, view: ChannelView, message: AnswerWithdraw) -> None:
    """Both have signed: bring it to the chain."""
    for offer in view.withdraws:
        if offer.withdraw.index == message.index and offer.proposer and not offer.peer:
            draft.checker.check(offer.withdraw, message.signature, peer_key(view))
            full = replace(offer, peer=message.signature)
            view = _with_withdraw(draft, view, offer, full)
            draft.notify(WithdrawAgreed(view.id, offer.withdraw.valid_until))
            submit(draft, view)
            return


def _with_withdraw(
    draft: Draft, view: ChannelView, old: WithdrawOffer, new: WithdrawOffer
) -> ChannelView:
    withdraws = tuple(new if offer is old else offer for offer in view.withdraws)
    view = replace(view, withdraws=withdraws)
    draft.put(view)
    return view


# ------------------------------------------------------------------------------------------- life


def sign_again(draft: Draft, view: ChannelView) -> None:
    """Asks our signer again for what it has not signed."""
    if view.close is not None and not view.close.own:
        draft.sign(SignItem(own_key(view), view.close.close))
    for drawing in view.withdraws:
        if not drawing.own:
            draft.sign(SignItem(own_key(view), drawing.withdraw))


def submit(draft: Draft, view: ChannelView) -> None:
    """Brings what both have signed to the chain, until it is final or has lapsed."""
    offer = view.close
    if offer is not None and offer.own and offer.peer and not view.head.ended:
        alice, bob = alice_first(view, offer.own, offer.peer)
        if draft.now <= offer.close.valid_until and offer.proposer:
            transaction = CloseChannel(view.channel, offer.close, alice, bob)
            draft.submit(b"c" + view.id, transaction, offer.close.valid_until)
    for drawing in view.withdraws:
        if not drawing.proposer or not drawing.own or not drawing.peer:
            continue
        alice, bob = alice_first(view, drawing.own, drawing.peer)
        limit = drawing.withdraw.valid_until
        if draft.now <= limit and view.head.withdrawals == drawing.withdraw.index:
            money = WithdrawMoney(view.channel, drawing.withdraw, alice, bob)
            draft.submit(b"w" + view.id, money, limit)


def expire(draft: Draft, view: ChannelView) -> ChannelView:
    """Lets go of offers that are mined, or have lapsed, in a final block."""
    final, time = view.final, draft.chain.final_of(view.told)
    offer = view.close
    if offer is not None and not final.ended:
        until = max(offer.close.valid_until, offer.alive_until)
        offer = None if time > until else offer
    withdraws = tuple(
        drawing
        for drawing in view.withdraws
        if final.withdrawals <= drawing.withdraw.index and time <= drawing.withdraw.valid_until
    )
    opens = tuple(o for o in view.opens if time <= o.open.valid_until)
    own: Wei = final.alice if view.role is Role.ALICE else final.bob
    deposits = tuple(
        deposit
        for deposit in view.deposits
        if time <= deposit.valid_until and own < deposit.holdings_before + deposit.amount
    )
    now = (offer, withdraws, opens, deposits)
    if now == (view.close, view.withdraws, view.opens, view.deposits):
        return view
    view = replace(view, close=offer, withdraws=withdraws, opens=opens, deposits=deposits)
    draft.put(view)
    return view


def ask_again(draft: Draft, view: ChannelView) -> None:
    """Sends what has no answer, with every block: what the peer did not allow a block ago, because
    an `Open` of its own had not lapsed or its view was old, it may allow now."""
    offer = view.close
    if offer is not None and offer.proposer and offer.own and not offer.peer:
        draft.send(view.peer, OfferClose(offer.close, offer.own))
    for drawing in view.withdraws:
        if drawing.proposer and drawing.own and not drawing.peer:
            draft.send(view.peer, OfferWithdraw(drawing.withdraw, drawing.own))


def resend(draft: Draft, view: ChannelView) -> None:
    """Sends our unanswered offers again, unchanged, and what we have answered."""
    ask_again(draft, view)
    offer = view.close
    if offer is not None and offer.own and not offer.proposer:
        draft.send(view.peer, AnswerClose(view.id, offer.own))
    for drawing in view.withdraws:
        if drawing.own and not drawing.proposer:
            draft.send(view.peer, AnswerWithdraw(view.id, drawing.withdraw.index, drawing.own))
