"""A Withdraw: both sign that money leaves the channel, which goes on.

It is signed only if every state in sight stays solvent with every live offer taken at once.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.channel.offers import life, own_open, submit
from perun.core.effects import SignItem
from perun.core.faults import NotAllowedNow, PeerNotAllowed
from perun.core.inputs import CommandWithdraw
from perun.core.notices import WithdrawAgreed
from perun.core.rules.accounting import reliable_holdings, solvent
from perun.core.rules.keys import alice_first, own_key, peer_key
from perun.core.rules.phases import blocked
from perun.core.state import ChannelView, WithdrawOffer
from perun.core.states.content import agreed_content
from perun.encoding.messages import AnswerWithdraw, OfferWithdraw
from perun.types import Signature, State, UnixTime, Version, Withdraw

__all__ = [
    "on_answer_withdraw",
    "on_offer_withdraw",
    "on_withdraw_signed",
    "why_no_withdraw",
    "withdraw",
]


def withdraw(draft: Draft, view: ChannelView, command: CommandWithdraw) -> None:
    """Offers to pay out of the channel."""
    alice, bob = alice_first(view, command.own_amount, command.peer_amount)
    valid_until = UnixTime(draft.now + life(draft, view))
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
    if view.deposits or own_open(view):
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
