"""Standing offers, a Close and any Withdraw, as long as they live: outside monotone signing [A8].

They are submitted once both have signed, said again until they are answered, and let go once they
are mined or have lapsed in a final block.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.effects import CloseChannel, SignItem, WithdrawMoney
from perun.core.rules.keys import alice_first, own_key
from perun.core.state import ChannelView, Role
from perun.encoding.messages import AnswerClose, AnswerWithdraw, OfferClose, OfferWithdraw
from perun.types import Wei

__all__ = ["ask_again", "expire", "life", "own_open", "resend", "sign_again", "submit"]


def own_open(view: ChannelView) -> bool:
    return any(offer.ours for offer in view.opens)


def life(draft: Draft, view: ChannelView) -> int:
    return min(draft.config.limits.offer_validity, view.channel.challenge)


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
