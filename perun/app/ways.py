"""Finding a way to pay somebody: a machine that fits, or where a new one could be.

Only looks; `openings` does something about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from perun.app.rows import Opening
from perun.app.texts import money
from perun.app.work import Work
from perun.core.books import Books
from perun.core.faults import InstanceRejected
from perun.core.nanocontracts.instances import last_time, locks, untouched
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.phases import Phase, phase
from perun.core.rules.worth import dust_of, least_lock
from perun.core.state import (
    ChannelView,
    InstanceView,
    LegStatus,
    PeerId,
    Role,
    Stage,
    Totals,
)
from perun.types import Asset, Wei

__all__ = [
    "channels_to",
    "check_far",
    "machines_to",
    "room",
    "route_of",
    "usable",
    "why_no_channel",
    "with_room",
]


def machines_to(work: Work, payee: PeerId, asset: Asset) -> Iterator[InstanceView]:
    """Machines with somebody, listed in a channel of ours."""
    books, known = work.books, work.shelf.machines.get(payee, {})
    for id in list(known):
        instance = books.instances.get(id)
        status = LegStatus.REMOVED if instance is None else instance.legs[0].status
        if instance is None or status is LegStatus.REMOVED:
            # Never listed again.
            del known[id]
        elif (
            status is LegStatus.LISTED
            and books.channels[instance.legs[0].channel].channel.asset == asset
        ):
            yield instance


def room(books: Books, instance: InstanceView) -> Wei:
    """What can still be paid in a machine by us."""
    assert instance.machine is not None
    assert instance.role is not None
    lock = locks(instance.terms)[instance.role]
    totals = books.totals.get(instance.id) or Totals(instance.id)
    return Wei(lock + totals.received - totals.asked if lock else 0)


def usable(books: Books, instance: InstanceView) -> bool:
    """Whether payments in it count now."""
    if instance.machine is None or instance.leave_sent or (instance.via and not instance.ready):
        return False
    return kind_of(instance.terms).may_sign(books, instance) is None


def with_room(work: Work, payee: PeerId, asset: Asset, amount: Wei) -> list[InstanceView]:
    """Machines with enough room, those with the least first, in a channel of two before others."""
    books = work.books
    found = [
        (bool(one.via), space, one)
        for one in machines_to(work, payee, asset)
        if (space := room(books, one)) >= amount
    ]
    if len(found) > 1:
        found.sort(key=itemgetter(0, 1))
    return [one for _, _, one in found]


def live(work: Work, view: ChannelView) -> bool:
    """Whether states are signed in it, and its money counts."""
    if view.stage is not Stage.JOINED or not view.watched:
        return False
    return is_open(work, view) and bool(view.final.alice or view.final.bob)


def route_of(work: Work, view: ChannelView, payee: PeerId) -> tuple[PeerId, ...]:
    """Over which hubs it goes from this channel's peer on; empty: over that one at most."""
    path = work.path(payee)
    return path[1:] if view.peer != payee and path[:1] == (view.peer,) else ()


# Rule path-7.
def check_far(work: Work, asset: Asset, amount: Wei) -> None:
    """Over several hubs what is below dust is paid out by nobody: so that is not begun.

    Raises:
        InstanceRejected: it is too little.
    """
    limits = work.config.limits
    least = dust_of(work.config.policy, asset, least_lock(limits, work.books.chain))
    if amount < least:
        raise InstanceRejected(f"over several hubs it must be {money(asset, least)} at least")


def _is_closing(work: Work, view: ChannelView) -> bool:
    return any(
        row.method == "close" and row.subject == view.id and not row.over
        for row in work.shelf.errands.values()
    )


def channels_to(
    work: Work, payee: PeerId, asset: Asset, relay: PeerId, opening: Opening | None
) -> Iterator[ChannelView]:
    """Where a machine to the payee could be: channels of two first, then over hubs, where a path to
    its hub begins first, then the one that it names, then those with most money. Not where it was
    refused."""
    tried = () if opening is None else opening.tried
    views = [
        view
        for view in work.books.channels.values()
        if view.channel.asset == asset and view.id not in tried and live(work, view)
    ]
    first = work.path(payee)[:1]
    views.sort(
        key=lambda view: (
            view.peer != payee,
            view.peer not in first,
            view.peer != relay,
            -work.free(view),
        )
    )
    return iter(views)


def resting(work: Work, payee: PeerId, asset: Asset, amount: Wei) -> str | None:
    """Why a machine that fits cannot be paid in at the moment, though soon it will; None: there is
    none."""
    books, margin = work.books, work.config.limits.margin
    for one in machines_to(work, payee, asset):
        view = books.channels[one.legs[0].channel]
        if (
            room(books, one) < amount
            or one.leave_sent
            or not untouched(one)
            or not is_open(work, view)
            or books.chain.head_time > last_time(one.terms) - margin
        ):
            continue
        if one.via and not one.ready:
            return "the payee has not said that its side is ready"
        why = kind_of(one.terms).may_sign(books, one)
        if why is not None:
            return why
    return None


def is_open(work: Work, view: ChannelView) -> bool:
    """Whether states are signed in it, as far as we know."""
    now = phase(view, work.books.chain)
    return now in (Phase.IDLE, Phase.PROPOSED, Phase.HOLDING) and not _is_closing(work, view)


def why_no_channel(work: Work, asset: Asset) -> tuple[str, str]:
    """Why there is no channel to pay from, and what to do."""
    mine = [view for view in work.books.channels.values() if view.channel.asset == asset]
    if not mine:
        return "you have no channel in this asset", "open one with the payee, or with a hub of both"
    coming = [v for v in mine if not v.head.ended and not (v.final.alice or v.final.bob)]
    if coming:
        return "your channel has no final deposit yet", "wait some blocks, then try again"
    names = ", ".join(sorted({work.name(view.peer) for view in mine if view.head.ended})[:3])
    if all(view.head.ended for view in mine):
        return f"your channels ({names}) have ended", "open a new one"
    return (
        "your channels are being closed, or in dispute, or not seen on the chain yet",
        "look at `channels`; open a new one, or wait for the chain",
    )


def forming(books: Books, opening: Opening) -> InstanceView | None:
    """The instance that an opening has led to, as far as it is not ready yet."""
    for instance in books.instances.values():
        leg = instance.legs[0]
        terms = instance.terms
        if (
            is_of(instance, opening)
            and instance.role is Role.ALICE
            and instance.machine is not None
            # Its salt has a half of the other end's, but what was asked for is known.
            and (locks(terms)[Role.ALICE], last_time(terms)) == (opening.lock, opening.validity)
            and not instance.refused
        ):
            if leg.status in (LegStatus.NEW, LegStatus.ADDING):
                return instance
            if leg.status is LegStatus.LISTED and instance.via and not instance.ready:
                return instance
    return None


def is_of(instance: InstanceView | None, opening: Opening) -> bool:
    """Whether a refused instance is what an opening has asked for."""
    return (
        instance is not None
        and instance.end == opening.payee
        and instance.legs[0].channel == opening.channel
    )
