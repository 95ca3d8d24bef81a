"""Machines for payments: agreed on, made larger, renewed, until a payment fits.

One opening at a time for each payee and asset; it is retried where it was not heard, tried smaller
where it was refused, then elsewhere, and given up after `patience`.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from perun.app import ways
from perun.app.errors import NotYet, NoWay
from perun.app.rows import NO_INSTANCE, Errand, Opening, Payment
from perun.app.texts import money, show_node
from perun.app.work import Work, plain
from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandAddMachine, CommandReplace
from perun.core.rules.worth import dust_of, greatest_fee_of
from perun.core.state import ChannelView, InstanceView, LegStatus, Role
from perun.errors import Misuse
from perun.types import MachineId, UnixTime, Wei

__all__ = ["begin", "next_way", "overdue", "progress", "repeat"]


def begin(work: Work, payment: Payment, needs: Wei) -> None:
    """Starts an opening for a payment that fits nowhere, the first way that can be tried.

    Args:
        needs: what all payments that wait for this payee need together, if there is money for it.

    Raises:
        NoWay: there is none.
    """
    _try(work, payment, needs, None)


def next_way(work: Work, opening: Opening, payment: Payment, needs: Wei, reason: str) -> None:
    """After a refusal: smaller in the same place, then elsewhere.

    Raises:
        NoWay: with the reason of the last refusal.
    """
    view = work.books.channels.get(opening.channel)
    if view is not None and not opening.exact and opening.lock > needs:
        smaller = replace(opening, exact=True)
        try:
            _invite(work, smaller, view, needs)
        except Misuse:
            pass
        else:
            return
    tried = (*opening.tried, opening.channel)
    try:
        _try(work, payment, needs, replace(opening, tried=tried, exact=False))
    except NoWay:
        if view is None:
            raise
        raise _refused(work, payment, view, reason) from None


def _refused(work: Work, payment: Payment, view: ChannelView, reason: str) -> NoWay:
    over = "" if view.peer == payment.payee else f", over {work.name(view.peer)}"
    return NoWay(
        work.name(payment.payee) + over,
        payment.amount,
        "agreeing on a machine",
        reason,
        "nothing was paid; try another amount, another hub, or open a channel with the payee",
    )


def _try(work: Work, payment: Payment, needs: Wei, before: Opening | None) -> None:
    """Invites in the first place that takes it up."""
    payee, asset = payment.payee, payment.asset
    _wait_for_others(work, payment)
    short: list[tuple[int, ChannelView]] = []
    refusals: list[tuple[ChannelView, Misuse]] = []
    for view in ways.channels_to(work, payee, asset, payment.relay, before):
        free = work.free(view) + _freed(work, view, payment)
        if free < payment.amount:
            short.append((free, view))
            continue
        opening = Opening(
            payee,
            asset,
            view.id,
            work.random(),
            Wei(0),
            UnixTime(0),
            work.now,
            work.now,
            tried=() if before is None else before.tried,
        )
        try:
            _invite(work, opening, view, needs)
        except Misuse as error:
            refusals.append((view, error))
            continue
        return
    if refusals:
        view, refusal = refusals[0]
        if any(isinstance(error, NotAllowedNow) for _, error in refusals):
            raise _not_yet(work, payment, plain(refusal))
        raise _refused(work, payment, view, plain(refusal))
    if short:
        free, view = max(short, key=lambda one: one[0])
        locked = _locked_elsewhere(work, view)
        raise NoWay(
            work.name(payee),
            payment.amount,
            "money",
            f"the channel with {work.name(view.peer)} has {money(asset, free)} free"
            + (f", and {money(asset, locked)} locked towards others" if locked else "")
            + f", not {money(asset, payment.amount)}",
            "top it up, or pay less",
        )
    if any(view.channel.asset == asset and _is_unseen(work, view) for view in _all(work)):
        raise _not_yet(work, payment, "the chain has not told yet how your channels stand")
    why, do = ways.why_no_channel(work, asset)
    raise NoWay(work.name(payee), payment.amount, "a channel", why, do)


def _all(work: Work) -> Iterable[ChannelView]:
    return work.books.channels.values()


def _is_unseen(work: Work, view: ChannelView) -> bool:
    return not view.watched and ways.is_open(work, view)


def _wait_for_others(work: Work, payment: Payment) -> None:
    """Raises `NotYet` if a machine that fits is only resting, `NoWay` if nothing is ever signed."""
    if work.books.exit_only:
        why = "this store was restored or copied, and signs nothing new"
        do = "leave or close its channels, and begin anew with a fresh store"
        raise NoWay(work.name(payment.payee), payment.amount, "this store", why, do)
    why_resting = ways.resting(work, payment.payee, payment.asset, payment.amount)
    if why_resting is not None:
        raise _not_yet(work, payment, why_resting)


def _not_yet(work: Work, payment: Payment, why: str) -> NotYet:
    return NotYet(
        work.name(payment.payee),
        payment.amount,
        "waiting",
        why,
        "nothing was paid; try again in a moment",
    )


def _locked_elsewhere(work: Work, view: ChannelView) -> int:
    return sum(
        ways.room(work.books, instance)
        for instance in work.books.instances.values()
        if instance.machine is not None
        and instance.role is not None
        and instance.legs[0].channel == view.id
        and instance.legs[0].status is LegStatus.LISTED
    )


def _outgrown(work: Work, view: ChannelView, payment: Payment) -> InstanceView | None:
    """A machine of ours to the payee in this channel that could be made larger, or renewed."""
    for instance in ways.machines_to(work, payment.payee, payment.asset):
        if (
            instance.legs[0].channel == view.id
            and instance.role is Role.ALICE
            and not instance.leave_sent
            and not instance.route
            and (not instance.via or instance.ready)
        ):
            return instance
    return None


def _freed(work: Work, view: ChannelView, payment: Payment) -> int:
    """What replacing the machine at hand would free."""
    old = _outgrown(work, view, payment)
    return 0 if old is None else max(0, ways.room(work.books, old))


def _invite(work: Work, opening: Opening, view: ChannelView, needs: Wei) -> None:
    """Fixes size and time, and has the core invite. Raises what the core refuses it with."""
    over_hub = view.peer != opening.payee
    limits, settings, books = work.config.limits, work.settings, work.books
    old = None
    for instance in ways.machines_to(work, opening.payee, opening.asset):
        if instance.legs[0].channel == view.id and instance.role is Role.ALICE:
            old = instance
    if old is not None and (old.leave_sent or old.route or (old.via and not old.ready)):
        old = None
    route = ways.route_of(work, view, opening.payee)
    free = work.free(view) + (0 if old is None else max(0, ways.room(books, old)))
    lock = needs
    if not opening.exact:
        generous = needs * settings.ahead
        lock = Wei(max(lock, generous if over_hub else max(generous, free // 2)))
    lock = Wei(max(lock, dust_of(work.config.policy, opening.asset, limits.dust)))
    # The hub's fee comes out of the same money, and is known only when it grants; one that is more
    # than a tenth of it makes the hub refuse, and the next try is smaller.
    most = greatest_fee_of(work.config.policy, opening.asset)
    fee = min(most, free // 10) if over_hub else 0
    lock = Wei(min(lock, max(free - fee, min(needs, free))))
    if route:
        ways.check_far(work, opening.asset, needs)
    life = settings.life_over_hub if over_hub else settings.life
    validity = UnixTime(books.chain.head_time + min(life, limits.greatest_validity))
    opening = replace(
        opening,
        lock=lock,
        validity=validity,
        random=work.random(),
        said=work.now,
        replaces=NO_INSTANCE if old is None else old.id,
        route=route,
    )
    say(work, opening)
    work.put(opening)
    _count_fee(work, opening, over_hub)


def say(work: Work, opening: Opening) -> None:
    """Invites; the same opening again is the same machine."""
    challenge = work.config.limits.least_machine_challenge
    if opening.replaces:
        old = MachineId(opening.replaces)
        work.desk.do(
            CommandReplace(old, opening.lock, Wei(0), opening.validity, challenge, opening.random)
        )
        return
    work.desk.do(
        CommandAddMachine(
            opening.channel,
            opening.lock,
            Wei(0),
            opening.validity,
            challenge,
            opening.random,
            opening.payee,
            opening.route,
        )
    )


def _count_fee(work: Work, opening: Opening, over_hub: bool) -> None:
    """The most that a hub may take for it counts against the token that it is for."""
    most = greatest_fee_of(work.config.policy, opening.asset)
    waiting = work.shelf.to_find.get((opening.payee, opening.asset), {})
    tokens = [
        row.token
        for number in waiting
        if (row := work.shelf.payments.get(number, work.desk)) is not None and row.token
    ]
    if over_hub and most and tokens:
        errand = Errand(
            work.shelf.next_errand,
            "fee",
            "",
            b"",
            tokens[0],
            opening.channel,
            opening.asset,
            most,
            Wei(0),
            work.now,
            "done",
            over=True,
        )
        work.put(errand)


def repeat(work: Work, opening: Opening) -> None:
    """Says an invitation again that nobody has answered."""
    if opening.random not in work.books.invitations:
        return
    try:
        say(work, opening)
    except Misuse:
        return
    work.put(replace(opening, said=work.now))


def progress(work: Work, opening: Opening) -> str:
    """What an opening waits for."""
    view = work.books.channels.get(opening.channel)
    if view is None:
        return "the channel that it was to be in is over"
    hub, payee = work.name(view.peer), work.name(opening.payee)
    over = "" if view.peer == opening.payee else f" over {hub}"
    if opening.random in work.books.invitations:
        return f"{payee} has not answered{over} yet"
    instance = ways.forming(work.books, opening)
    if instance is not None and instance.legs[0].status is LegStatus.LISTED:
        return f"{payee} has not said yet that its channel{over} is ready"
    return f"{hub} has not signed the machine to {payee} yet"


def overdue(work: Work, opening: Opening | None, payment: Payment) -> NoWay:
    """Why a payment that has waited too long fails."""
    why = payment.why if opening is None else progress(work, opening)
    do = "nothing was paid; try again later"
    if payment.payee not in work.met:
        do = (
            "nothing was paid: it is offline, or talks only to nodes that it knows; pay a request "
            f"of its, which lets you in, or have it add you: perun contacts add NAME "
            f"{show_node(work.me)}"
        )
    name, why = work.name(payment.payee), why or "no way was found in time"
    return NoWay(name, payment.amount, "waiting for others", why, do)
