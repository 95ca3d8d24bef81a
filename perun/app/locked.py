"""What is locked for more than paying: games and deals; to find one, invite to it, wish in it.

Who is invited agrees by `answer`, as to any offer. A wish is known by its key, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from perun.app import ways
from perun.app.contacts import remember
from perun.app.errors import BadParams, NoSuch, NoWay
from perun.app.methods import (
    BringAward,
    BringPrice,
    CallClock,
    Escrow,
    Flip,
    LetGo,
    LockMoney,
    Move,
    OfferBet,
    OpenStream,
    PayTicks,
    Play,
    Resign,
    RunStream,
    ShowSecret,
    StopStream,
    Throw,
)
from perun.app.rows import Errand
from perun.app.spending import check_limit, digest_of, errand, known_errand
from perun.app.texts import Who, amount_of, asset_of, bytes_of, hexed, money, show_node, who
from perun.app.work import Caller, Work
from perun.core.inputs import Command, CommandInviteAgain, CommandRemove
from perun.core.nanocontracts.hash_chain import CommandSettle
from perun.core.nanocontracts.instances import decided_shift
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import InstanceRefused
from perun.core.state import ChannelView, InstanceView, Invitation, LegStatus, Stage, Totals
from perun.types import Asset, Machine, Salt, Stream, Terms, Wei

__all__ = [
    "Far",
    "again",
    "chosen",
    "end_of",
    "ending",
    "how_far",
    "instance_of",
    "instances",
    "invitations",
    "invited",
    "meet",
    "on_refused",
    "once",
    "place",
    "reached",
    "refusal",
    "refused",
    "say_again",
    "stakes",
    "why_invited",
]

Kinds = tuple[type[Terms], ...]

_REFUSED: Final = "refused"
_LATELY: Final = 86_400
"""Seconds for which it is told that something was refused."""

# -------------------------------------------------------------------------------------- finding


def invitations(work: Work, kinds: Kinds) -> Iterator[Invitation]:
    """Those of these kinds that nobody has answered."""
    return (one for one in work.books.invitations.values() if isinstance(one.terms, kinds))


def instances(work: Work, kinds: Kinds) -> Iterator[InstanceView]:
    """Those of these kinds that we are an end of, but for those that somebody did not want."""
    every = work.books.instances.values()
    ours = (one for one in every if isinstance(one.terms, kinds) and one.role is not None)
    return (one for one in ours if not one.refused or one.legs[0].status is not LegStatus.NEW)


def instance_of(work: Work, kinds: Kinds, text: str, what: str) -> InstanceView:
    """One by what it is known by, or its instance's id. Raises `NoSuch`."""
    id = bytes_of(text, 32, what)
    for one in instances(work, kinds):
        if id in (one.invitation, one.id):
            return one
    raise NoSuch(what, text)


class _Shown(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def instance(self) -> str | None: ...


S = TypeVar("S", bound=_Shown)


def chosen(found: Sequence[S], id: str | None, what: str) -> tuple[S, ...]:
    """All, or the one that is known by an id. Raises `NoSuch`."""
    if id is None:
        return tuple(found)
    wanted = tuple(one for one in found if id in (one.id, one.instance))
    if not wanted:
        raise NoSuch(what, id)
    return wanted


Far = Literal["over", "ruled", "opening", "onChain", "known", "open"]


def how_far(work: Work, instance: InstanceView) -> tuple[Far, Wei | None]:
    """How far one is, and what moves from its Alice to its Bob if that is known.

    `ruled`: the chain has decided; `known`: both ends know what will be, though it is listed.
    """
    leg, books = instance.legs[0], work.books
    if leg.status is LegStatus.REMOVED:
        return "over", leg.removed_shift
    shift = decided_shift(instance, instance.head, books.chain.head_time)
    if shift is not None:
        return "ruled", shift
    if leg.status in (LegStatus.NEW, LegStatus.ADDING):
        return "opening", None
    totals = books.totals.get(instance.id) or Totals(instance.id)
    shift = kind_of(instance.terms).known(instance.terms, instance, totals)
    if instance.head is not None:
        return "onChain", shift
    return ("open", None) if shift is None else ("known", shift)


# ------------------------------------------------------------------------------------- inviting


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


def stakes(
    work: Work,
    caller: Caller,
    params: Play | Flip | Throw | Escrow | OfferBet | OpenStream | LockMoney,
) -> tuple[Who, Wei, Wei, Asset]:
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


def ending(instance: InstanceView) -> Command:
    """What takes one out by agreement: in a stream both first name its total."""
    if isinstance(instance.terms, Stream):
        return CommandSettle(instance.id)
    return CommandRemove(instance.id)


def invited(
    work: Work,
    caller: Caller,
    method: str,
    key: str,
    digest: bytes,
    random: Salt,
    asset: Asset,
    own: Wei,
    show: Callable[[Work, Invitation], S],
) -> S:
    """Our invitation, which a command has just made; its key is kept, and how it is shown: if it
    is refused nothing else is left of it."""
    row = errand(work, caller, method, key, digest, random, asset, own, state="invited")
    shown = show(work, work.books.invitations[random])
    work.put(replace(row, over=True, shown=msgspec.json.encode(shown)))
    return shown


def on_refused(work: Work, notice: InstanceRefused) -> None:
    """Somebody does not want what we have invited to: kept, in words, with whose words they are."""
    instance = work.books.instances.get(notice.instance)
    known = notice.instance if instance is None else instance.invitation
    for row in work.shelf.errands.values():
        if row.shown and row.subject == known and row.state != _REFUSED:
            what = f"{work.name(notice.by)} did not agree" if notice.by else "it cannot be"
            text = f"{what}: {notice.reason}. Nothing is locked; ask again."
            work.put(replace(row, state=_REFUSED, text=text))
            return


def refused(work: Work, kind: type[S], methods: Sequence[str], found: Sequence[S]) -> list[S]:
    """What was refused lately, and is not among what there is."""
    since, there = work.now - _LATELY, {one.id for one in found}
    rows = [row for row in work.shelf.errands.values() if row.method in methods]
    return [
        refusal(row, kind)
        for row in rows
        if row.state == _REFUSED and row.at >= since and hexed(row.subject) not in there
    ]


def refusal(row: Errand, kind: type[S]) -> S:
    """As it was shown when it was asked for, and why nothing came of it."""
    shown = msgspec.json.decode(row.shown, type=kind)
    return msgspec.structs.replace(shown, state="over", why=row.text)  # type: ignore[type-var]  # records of `values` are


def again(
    work: Work, row: Errand, kind: type[S], held: Callable[[Invitation], S], look: Callable[[], S]
) -> S:
    """What was asked for before, under this key, as it stands now."""
    invitation = work.books.invitations.get(Salt(row.subject))
    if invitation is not None:
        return held(invitation)
    try:
        return look()
    except NoSuch:
        if row.state != _REFUSED:
            raise
        return refusal(row, kind)


_Wish = (
    Move
    | Resign
    | CallClock
    | BringAward
    | LetGo
    | BringPrice
    | PayTicks
    | RunStream
    | StopStream
    | ShowSecret
)


def once(
    work: Work,
    caller: Caller,
    method: str,
    params: _Wish,
    instance: InstanceView,
    act: Callable[[], None],
) -> None:
    """Carries out a wish about one when it comes for the first time, and keeps its key with it.

    What was refused was not done, so the same key tries it again.
    """
    digest = digest_of(method, params)
    if known_errand(work, params.idempotency_key, digest, method) is not None:
        return
    act()
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    key = params.idempotency_key
    row = errand(work, caller, method, key, digest, instance.id, asset)
    work.put(replace(row, over=True))
