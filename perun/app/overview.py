"""Who am I, where, what is mine, what waits for me, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Literal

from perun.app import values as v
from perun.app.bets import feed_name
from perun.app.boards import title
from perun.app.locked import plain
from perun.app.methods import GetChannels, GetNetworks, GetOffers, GetStatus
from perun.app.settings import KnownNetwork, KnownToken
from perun.app.texts import hexed, money, show_account, show_node
from perun.app.work import Work
from perun.core.nanocontracts.instances import last_time, locks
from perun.core.rules.phases import Phase, fresh, phase, why_stale
from perun.core.state import ChannelView, Invitation, Role, Stage
from perun.core.states.content import agreed_content
from perun.core.states.valuation import balance
from perun.types import Asset, Bet, Deal

__all__ = ["channels", "networks", "offers", "status"]

_PHASES: Final[dict[Phase, v.Phase]] = {
    Phase.OFFERED: "offered",
    Phase.INVITED: "invited",
    Phase.IDLE: "open",
    Phase.PROPOSED: "open",
    Phase.HOLDING: "open",
    Phase.CLOSING: "closing",
    Phase.LEAVING: "leaving",
    Phase.DISPUTED: "disputed",
    Phase.DECIDED: "decided",
    Phase.SETTLING: "settling",
    Phase.ENDED: "ended",
}


def status(
    work: Work,
    params: GetStatus,  # noqa: ARG001
    version: str,
    unseen: Callable[[], str],
) -> v.Status:
    """Everything at a glance."""
    chain = work.books.chain
    views = [view for view in work.books.channels.values() if not _is_over(view)]
    return v.Status(
        node=show_node(work.me),
        account=show_account(work.config.identity.account),
        outside=None,  # the application asks no chain: its host fills it in
        network=_network(work),
        block=v.Block(
            number=chain.head_number,
            time=chain.head_time,
            final_number=chain.final_number,
            final_time=chain.final_time,
            fresh=fresh(work.books),
        ),
        exit_only=work.books.exit_only,
        balances=tuple(_balances(work, views)),
        channels=tuple(_show(work, view) for view in views),
        problems=(*_chain_problems(unseen()), *_problems(work, views)),
        event=work.shelf.next_event - 1,
        version=version,
    )


def _is_over(view: ChannelView) -> bool:
    return view.final.ended


def _network(work: Work) -> v.Network:
    domain = work.config.deployment.contract
    for known in work.settings.networks:
        if (known.chain_id, known.contract) == (domain.chain_id, domain.contract):
            return _show_network(known, work.settings.tokens)
    own = KnownNetwork(domain.chain_id, "", domain.contract, work.settings.genesis)
    return _show_network(own, work.settings.tokens)


def _show_network(known: KnownNetwork, tokens: tuple[KnownToken, ...] | None) -> v.Network:
    """Args:
    tokens: of the network that we are on; None: it is another one.
    """
    return v.Network(
        caip2=f"eip155:{known.chain_id}",
        name=known.name,
        genesis=hexed(known.genesis),
        contract=show_account(known.contract),
        current=tokens is not None,
        test=known.test,
        tokens=tuple(
            v.Token(asset=show_account(one.asset), symbol=one.symbol, decimals=one.decimals)
            for one in tokens or ()
        ),
    )


def networks(work: Work, params: GetNetworks) -> tuple[v.Network, ...]:  # noqa: ARG001
    """Ours first, then the others that are known."""
    own = _network(work)
    others = [_show_network(known, None) for known in work.settings.networks]
    return (own, *(one for one in others if (one.caip2, one.contract) != (own.caip2, own.contract)))


def _balances(work: Work, views: list[ChannelView]) -> Iterator[v.AssetBalance]:
    account = work.config.identity.account
    credits = {
        asset: row.amount for (asset, owner), row in work.books.credits.items() if owner == account
    }
    assets: dict[Asset, None] = dict.fromkeys(work.config.policy.assets)
    assets.update(dict.fromkeys(view.channel.asset for view in views))
    assets.update(dict.fromkeys(Asset(asset) for asset in credits))
    for asset in assets:
        ours = [balance(work.books, view) for view in views if view.channel.asset == asset]
        yield v.AssetBalance(
            asset=show_account(asset),
            free=str(max(0, sum(one.free for one in ours))),
            locked=str(max(0, sum(one.locked for one in ours))),
            guaranteed=str(sum(one.guaranteed for one in ours)),
            credit=str(credits.get(asset, 0)),
        )


def channels(work: Work, params: GetChannels) -> tuple[v.Channel, ...]:
    """Every channel, in the order in which we heard of them."""
    views = work.books.channels.values()
    return tuple(_show(work, view) for view in views if params.ended or not _is_over(view))


def _show(work: Work, view: ChannelView) -> v.Channel:
    ours = balance(work.books, view)
    _, nanos = agreed_content(view)
    contact = work.shelf.names.get(view.peer)
    now = phase(view, work.books.chain)
    shown = _PHASES[now]
    if shown == "open" and not (view.final.alice or view.final.bob):
        shown = "opening"
    is_over = now is Phase.ENDED  # what was in it is in the accounts
    return v.Channel(
        id=hexed(view.id),
        peer=show_node(view.peer),
        name="" if contact is None else contact.name,
        asset=show_account(view.channel.asset),
        phase=shown,
        busy=bool(view.proposals or view.held or view.intents or view.withdraws or view.deposits),
        free="0" if is_over else str(max(0, ours.free)),
        locked="0" if is_over else str(max(0, ours.locked)),
        guaranteed="0" if is_over else str(ours.guaranteed),
        peer_free="0" if is_over else str(work.free_of_peer(view)),
        challenge=view.channel.challenge,
        machines=len(nanos),
        doing="; ".join(
            f"{row.method}: {row.text}"
            for row in work.shelf.errands.values()
            if row.subject == view.id and not row.over
        ),
    )


def offers(work: Work, params: GetOffers) -> tuple[v.Offer, ...]:  # noqa: ARG001
    """What peers want that our policy leaves to our user."""
    found = []
    for view in work.books.channels.values():
        now = phase(view, work.books.chain)
        # Before the chain has told how it stands no answer would be taken.
        if now is Phase.INVITED and view.stage is Stage.INVITED and view.offered_at:
            funding = view.funding
            text = f"{work.name(view.peer)} offers a channel"
            amounts = (funding.bob_amount, funding.alice_amount, 0)
            found.append(_offer(work, view, "channel", text, amounts))
        elif view.held is not None and not view.held.answering:
            before, _ = agreed_content(view)
            moved = view.held.state.net - before
            loses = max(0, moved if view.role is Role.ALICE else -moved)
            text = f"{work.name(view.peer)} proposes to take {loses} from you"
            found.append(_offer(work, view, "proposal", text, (0, 0, loses)))
    for held in work.books.invitations.values():
        if held.theirs:
            found.append(_invitation(work, held))
    return tuple(found)


def _invitation(work: Work, held: Invitation) -> v.Offer:
    view, (theirs, own) = work.books.channels[held.channel], locks(held.terms)
    what = money(view.channel.asset, own)
    return v.Offer(
        id=hexed(held.id),
        kind=_OFFERED.get(type(held.terms), "game"),
        peer=show_node(held.end),
        asset=show_account(view.channel.asset),
        text=f"{work.name(held.end)} invites you to {_about(work, held)} for {what}",
        own_amount=str(own),
        peer_amount=str(theirs),
        loses="0",
        until=last_time(held.terms),
    )


_LAST: Final = 253_402_300_799
"""The last second that has a date here."""
_OFFERED: Final[dict[type, Literal["deal", "bet"]]] = {Deal: "deal", Bet: "bet"}


def _about(work: Work, held: Invitation) -> str:
    terms = held.terms
    if isinstance(terms, Bet):
        reporter, feed = show_account(terms.oracle), feed_name(terms.feed)
        at = datetime.fromtimestamp(min(terms.time, _LAST), UTC).strftime("%Y-%m-%d %H:%M:%S")
        side = "higher" if terms.slope > 0 else "lower"
        return (
            f"a bet on {feed} at {at} UTC, in which a price {side} than {terms.strike} pays you, "
            f"and whose reporter {reporter} can give all of it away,"
        )
    if not isinstance(terms, Deal):
        return title(work, plain(terms))
    arbiter = show_account(terms.arbiter)
    return f"a deal in escrow, whose arbiter {arbiter} can give all of it away,"


def _offer(
    work: Work, view: ChannelView, kind: str, text: str, amounts: tuple[int, int, int]
) -> v.Offer:
    own, theirs, loses = amounts
    until = None if view.held is None else view.held.since + work.config.limits.hold
    return v.Offer(
        id=hexed(view.id),
        kind=kind,  # type: ignore[arg-type]
        peer=show_node(view.peer),
        asset=show_account(view.channel.asset),
        text=text,
        own_amount=str(own),
        peer_amount=str(theirs),
        loses=str(loses),
        until=until,
    )


def _chain_problems(unseen: str) -> Iterator[v.Problem]:
    if unseen:
        yield v.Problem(
            code="chainUnseen",
            text=f"the chain is not seen: {unseen}",
            do="it is asked again; if this stays, ask another node",
        )


def _problems(work: Work, views: list[ChannelView]) -> Iterator[v.Problem]:
    books = work.books
    if books.exit_only:
        yield v.Problem(
            code="exitOnly",
            text="this store was restored or copied: nothing new is signed with it",
            do="leave or close the channels, then begin anew with a fresh store",
        )
    stale = why_stale(books.chain, books.config.limits.freshness)
    if stale is not None:
        yield v.Problem(
            code="noFreshBlock",
            text=stale,
            do="nothing is paid or accepted: check the RPC endpoint, and this device's clock",
        )
    for view in views:
        name, now = work.name(view.peer), phase(view, books.chain)
        if now is Phase.DISPUTED and view.head.dispute is not None:
            yield v.Problem(
                code="disputed",
                text=f"the channel with {name} is disputed until {view.head.dispute.deadline}",
                do="stay online until then: the newest state is being brought to the chain",
            )
        limits = books.config.limits
        if view.proposals and books.chain.waited(view.proposals[-1].sent_at) > limits.patience:
            yield v.Problem(
                code="unanswered",
                text=f"{name} has not answered a proposal; the worst of both counts until then",
                do="wait for it, or leave the channel through the chain",
            )
