"""What our user wants of channels: open, top up, withdraw, close, leave, claim, answer."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from perun.app import errands
from perun.app.affording import require_ether
from perun.app.contacts import remember
from perun.app.errors import BadParams, Forbidden, NoSuch
from perun.app.methods import Answer, Claim, Close, Leave, Open, Scope, TopUp, Withdraw
from perun.app.rows import Errand
from perun.app.spending import check_limit, digest_of, errand, known_errand
from perun.app.texts import Who, amount_of, asset_of, bytes_of, hexed, show_account, show_node, who
from perun.app.values import Answered, Done, Opening
from perun.app.work import Caller, Work
from perun.core import gas
from perun.core.faults import NotEnoughMoney
from perun.core.inputs import (
    CommandAnswer,
    CommandClaim,
    CommandConsent,
    CommandDispute,
    CommandFund,
    CommandJoin,
    CommandOffer,
    CommandWithdraw,
)
from perun.core.nanocontracts.rock_paper_scissors import HANDS
from perun.core.notices import ChannelRefused
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, Stage
from perun.crypto.keys import PublicKey
from perun.types import ETH, Address, Asset, ChannelId, Nonce, Salt, Seconds, Wei

__all__ = ["answer", "claim", "close", "leave", "open_channel", "top_up", "view_of", "withdraw"]

_MINUTES: Final = 120
"""Seconds from which on people count in minutes."""


def open_channel(work: Work, caller: Caller, params: Open) -> Opening:
    """What a channel means; with consent it is offered, and one transaction will open it."""
    digest = digest_of("open", params)
    known = known_errand(work, params.idempotency_key, digest, "open")
    to = who(work.shelf, params.peer)
    if to.peer == work.me:
        raise BadParams("this is your own node")
    offer = _offer(work, to, params)
    if not offer.own_amount and not offer.peer_amount:
        raise BadParams("nothing would be in the channel: say how much")
    if known is not None:
        return _show_opening(work, to, offer, known)
    price = _gas_cost(work, _opening_gas(offer))
    require_ether(caller, offer.asset, offer.own_amount, price)
    if not params.consent:
        return _show_opening(work, to, offer, None)
    _check(work, caller, offer.asset, offer.own_amount + offer.fee, price)
    work.desk.do(offer)
    # The newest one: it was made a line ago.
    channel = next(reversed(work.books.channels))
    named = to if params.account is None else replace(to, account=offer.account)
    shown = b"" if params.invitation is None else bytes_of(params.invitation, 32, "invitation")
    remember(work, named, shown)
    row = errand(
        work,
        caller,
        "open",
        params.idempotency_key,
        digest,
        channel,
        offer.asset,
        Wei(offer.own_amount + offer.fee),
        price,
        "offered",
        f"{work.name(to.peer)} is asked",
    )
    return _show_opening(work, to, offer, row)


def _offer(work: Work, to: Who, params: Open) -> CommandOffer:
    account = to.account or PublicKey(to.peer).address
    if params.account is not None:
        account = Address(bytes.fromhex(params.account[2:]))
    challenge = work.config.limits.least_challenge if params.challenge is None else params.challenge
    return CommandOffer(
        to.peer,
        account,
        asset_of(params.asset),
        Seconds(challenge),
        Nonce(int.from_bytes(work.random()[:8], "big")),
        amount_of(params.amount),
        amount_of(params.peer_amount),
        params.draw,
        amount_of(params.fee),
    )


def _opening_gas(offer: CommandOffer) -> int:
    return gas.OPEN_BOTH_GAS if offer.draw else gas.OPEN_GAS


def _gas_cost(work: Work, amount: int) -> Wei:
    return Wei(amount * work.books.chain.gas_price)


def _check(work: Work, caller: Caller, asset: Asset, amount: int, gas_cost: Wei) -> None:
    if asset == ETH:
        check_limit(work, caller, ETH, amount + gas_cost)
        return
    check_limit(work, caller, asset, amount)
    if gas_cost:
        check_limit(work, caller, ETH, gas_cost)


def _show_opening(work: Work, to: Who, offer: CommandOffer, row: Errand | None) -> Opening:
    state = "plan" if row is None else row.state
    return Opening(
        peer=show_node(to.peer),
        asset=show_account(offer.asset),
        amount=str(offer.own_amount),
        peer_amount=str(offer.peer_amount),
        fee=str(offer.fee),
        gas=_opening_gas(offer),
        gas_price=str(work.books.chain.gas_price),
        challenge=offer.challenge,
        worst=str(offer.fee),
        worst_after=offer.challenge + work.config.limits.margin,
        leave_gas=gas.leaving_gas(0, 0),
        counts_after=_counts_after(work),
        channel=None if row is None else hexed(row.subject),
        state=state,  # type: ignore[arg-type]
        why="" if row is None else row.text,
    )


def _counts_after(work: Work) -> str:
    """When a deposit that is mined now will be final, from how far finality is behind."""
    chain = work.books.chain
    blocks, seconds = (
        chain.head_number - chain.final_number,
        chain.head_time - chain.final_time,
    )
    if not chain.head_number:
        return "when a final block shows it; the chain is not seen yet"
    seconds = max(0, seconds)
    time = f"{seconds} seconds" if seconds < _MINUTES else f"{-(-seconds // 60)} minutes"
    return (
        f"when a final block shows it: about {blocks} blocks or {time} after it is "
        f"mined (final is block {chain.final_number}, the newest {chain.head_number})"
    )


# ------------------------------------------------------------------------------- channels that are


def view_of(work: Work, text: str) -> ChannelView:
    """The channel of that id. Raises `NoSuch`."""
    id = ChannelId(bytes_of(text, 32, "channel"))
    view = work.books.channels.get(id)
    if view is None:
        raise NoSuch("channel", text)
    return view


def _some(text: str) -> Wei:
    """An amount that is worth a transaction."""
    amount = amount_of(text)
    if not amount:
        raise BadParams("the amount is 0")
    return amount


def top_up(work: Work, caller: Caller, params: TopUp) -> Done:
    """More of our money into a channel, by a transaction."""
    digest = digest_of("topUp", params)
    known = known_errand(work, params.idempotency_key, digest, "topUp")
    if known is not None:
        return errands.done(known)
    view, amount = view_of(work, params.channel), _some(params.amount)
    amount_of(str(amount + max(view.head.alice, view.head.bob)))  # All of it is bounded, too.
    price, asset = _gas_cost(work, gas.DEPOSIT_GAS), view.channel.asset
    require_ether(caller, asset, amount, price)
    _check(work, caller, asset, amount, price)
    work.desk.do(CommandFund(view.id, amount))
    text = f"the transaction is on its way; the money counts {_counts_after(work)}"
    key = params.idempotency_key
    row = errand(work, caller, "topUp", key, digest, view.id, asset, amount, price, "mining", text)
    return errands.done(row)


def withdraw(work: Work, caller: Caller, params: Withdraw) -> Done:
    """Money out of an open channel to our account."""
    digest = digest_of("withdraw", params)
    known = known_errand(work, params.idempotency_key, digest, "withdraw")
    if known is not None:
        return errands.done(known)
    view, amount = view_of(work, params.channel), _some(params.amount)
    free = work.free(view)
    if amount > free:
        raise NotEnoughMoney("withdrawal of what is free", free, amount, view.channel.asset)
    price, asset = _gas_cost(work, gas.WITHDRAW_GAS), view.channel.asset
    _check(work, caller, asset, 0, price)
    work.desk.do(CommandWithdraw(view.id, amount))
    text = f"{work.name(view.peer)} is asked to sign"
    key = params.idempotency_key
    row = errand(
        work, caller, "withdraw", key, digest, view.id, asset, Wei(0), price, "asked", text
    )
    row = replace(row, index=work.books.channels[view.id].withdraws[-1].withdraw.index)
    work.put(row)
    return errands.done(row)


def close(work: Work, caller: Caller, params: Close) -> Done:
    """Ends a channel by agreement, as soon as nothing is listed in it."""
    digest = digest_of("close", params)
    known = known_errand(work, params.idempotency_key, digest, "close")
    if known is not None:
        return errands.done(known)
    view = view_of(work, params.channel)
    if phase(view, work.books.chain) in (Phase.ENDED, Phase.OFFERED, Phase.INVITED):
        raise NoSuch("open channel", params.channel)
    price, asset = _gas_cost(work, gas.CLOSE_GAS), view.channel.asset
    _check(work, caller, asset, 0, price)
    key = params.idempotency_key
    row = errand(work, caller, "close", key, digest, view.id, asset, Wei(0), price, "closing", "")
    errands.go_on(work)
    return errands.done(work.shelf.errands[row.number])


def leave(work: Work, caller: Caller, params: Leave) -> Done:
    """Ends a channel through the chain, alone."""
    digest = digest_of("leave", params)
    known = known_errand(work, params.idempotency_key, digest, "leave")
    if known is not None:
        return errands.done(known)
    view = view_of(work, params.channel)
    price, asset = _gas_cost(work, gas.leaving_gas(0, 0)), view.channel.asset
    _check(work, caller, asset, 0, price)
    work.desk.do(CommandDispute(view.id))
    text = f"the newest state goes to the chain; it is decided {view.channel.challenge} s later"
    key = params.idempotency_key
    row = errand(work, caller, "leave", key, digest, view.id, asset, Wei(0), price, "leaving", text)
    return errands.done(row)


def claim(work: Work, caller: Caller, params: Claim) -> Done:
    """Takes credit out of the contract, to our account; elsewhere only with a token for all."""
    digest = digest_of("claim", params)
    known = known_errand(work, params.idempotency_key, digest, "claim")
    if known is not None:
        return errands.done(known)
    asset, account = asset_of(params.asset), work.config.identity.account
    to = account if params.to is None else Address(bytes.fromhex(params.to[2:]))
    if to != account and caller.scope is not Scope.ALL:
        raise Forbidden("claim to another account", "all", caller.scope.name.lower())
    credit = work.books.credits.get((asset, account))
    available = Wei(0) if credit is None else credit.amount
    amount = available if params.amount is None else amount_of(params.amount)
    if amount > available or not amount:
        raise NotEnoughMoney("credit", available, amount, asset)
    price = _gas_cost(work, gas.CLAIM_GAS)
    _check(work, caller, asset, 0, price)
    work.desk.do(CommandClaim(asset, amount, to))
    key, text = params.idempotency_key, f"{amount} to {show_account(to)}"
    row = errand(work, caller, "claim", key, digest, asset, asset, Wei(0), price, "mining", text)
    return errands.done(row)


# ------------------------------------------------------------------------------------------- offers


def answer(work: Work, params: Answer) -> Answered:
    """Yes or no to a channel, a proposal or a game that waits for our word."""
    invitation = Salt(bytes_of(params.offer, 32, "offer"))
    held = work.books.invitations.get(invitation)
    if held is not None and held.theirs:
        word = b"" if params.hand is None else bytes([HANDS.index(params.hand)])
        work.desk.do(CommandConsent(invitation, params.accept, word=word))
        return Answered(accepted=params.accept)
    view = view_of(work, params.offer)
    if view.stage is Stage.INVITED:
        work.desk.do(CommandJoin(view.id, params.accept))
        if not params.accept:
            work.event("channel", view.id, {"notice": ChannelRefused.__name__, "by": "us"})
    elif view.held is not None:
        work.desk.do(CommandAnswer(view.id, view.held.state.version, params.accept))
    else:
        raise NoSuch("offer", params.offer)
    return Answered(accepted=params.accept)
