"""Inviting somebody to lock money with us: with whom, for what, in which channel, and again.

Whoever was not there hears of it when he is.
"""

from __future__ import annotations

from perun.app import ways
from perun.app.contacts import remember
from perun.app.errors import BadParams, NoWay
from perun.app.methods import (
    Escrow,
    Flip,
    LockMoney,
    OfferBet,
    OpenStream,
    Play,
    Throw,
)
from perun.app.spending import check_limit
from perun.app.texts import (
    Who,
    amount_of,
    asset_of,
    bytes_of,
    money,
    show_node,
    who,
)
from perun.app.work import Caller, Work
from perun.core.inputs import CommandInviteAgain
from perun.core.nanocontracts.kinds import kind_of
from perun.core.state import (
    ChannelView,
    Invitation,
    Stage,
)
from perun.types import Asset, Machine, Wei

__all__ = [
    "Invites",
    "end_of",
    "meet",
    "place",
    "reached",
    "say_again",
    "stakes",
    "why_invited",
]

Invites = Play | Flip | Throw | Escrow | OfferBet | OpenStream | LockMoney
"""Methods that invite to something."""


def reached(work: Work, held: Invitation) -> bool:
    """Whether an invitation has come to whom it is for, as far as we know."""
    return held.theirs or held.end in work.met


def say_again(work: Work) -> None:
    """Invitations of ours that may have been lost: a user is asked once, when he has been reached;
    a node that answers by itself, until it does. Those to machines `openings` repeats."""
    for held in list(work.books.invitations.values()):
        by_itself = not kind_of(held.terms).asks and not isinstance(held.terms, Machine)
        if not held.theirs and (by_itself or not reached(work, held)):
            work.desk.do(CommandInviteAgain(held.id))


def why_invited(work: Work, held: Invitation) -> str:
    """What an invitation waits for, and what to do about it."""
    if held.theirs:
        return "your word"
    name = work.name(held.end)
    if reached(work, held):
        return f"{name} has not answered yet"
    later = "it hears of this when it is there" if kind_of(held.terms).asks else "try again later"
    return (
        f"{name} has not been reached: it is offline, or talks only to nodes that it knows. "
        f"Nothing is locked; {later}. If it should be there, have it add you: "
        f"perun contacts add NAME {show_node(work.me)}"
    )


def stakes(work: Work, caller: Caller, params: Invites) -> tuple[Who, Wei, Wei, Asset]:
    """With whom, and for what."""
    to = who(work.shelf, params.to)
    if to.peer == work.me:
        raise BadParams("this is your own node")
    own, asset = amount_of(params.amount), asset_of(params.asset)
    theirs = own if params.peer_amount is None else amount_of(params.peer_amount)
    check_limit(work, caller, asset, own)
    return to, own, theirs, asset


def meet(work: Work, to: Who, invitation: str | None) -> None:
    """A person talks to no strangers: whoever follows a link shows what it carries."""
    if invitation is not None:
        remember(work, to, bytes_of(invitation, 32, "invitation"))


def place(work: Work, to: Who, asset: Asset, own: Wei, theirs: Wei) -> ChannelView:
    """The channel to lock our stake in: one with them first, if theirs is in it too, then over a
    hub."""
    found = list(ways.channels_to(work, to.peer, asset, b"", None))
    for view in found:
        if work.free(view) < own or view.stage is not Stage.JOINED:
            continue
        if view.peer != to.peer or work.free_of_peer(view) >= theirs:
            return view
    most = max(map(work.free, found), default=0)
    if found and most < own:
        why = f"your channels have {money(asset, most)} free at most, not {money(asset, own)}"
        raise NoWay(work.name(to.peer), own, "money", why, "top one up, or put in less")
    why, do = ways.why_no_channel(work, asset)
    raise NoWay(work.name(to.peer), own, "looking for a channel", why, do)


def end_of(view: ChannelView, to: Who) -> bytes:
    """The other end, as a command names it."""
    return b"" if view.peer == to.peer else to.peer
