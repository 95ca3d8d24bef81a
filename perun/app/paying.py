"""Payments of ours, until they are signed or have failed.

A payment is a segment of a machine's total: its row, with the segment, is written with the command.
Before that nothing is signed and it can fail; after it, it cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from perun.app import openings, ways
from perun.app.errors import NotYet, NoWay
from perun.app.methods import Scope
from perun.app.receipts import note_of
from perun.app.rows import Opening, Payment, Step
from perun.app.spending import check_limit
from perun.app.work import Caller, Work
from perun.core.inputs import CommandPay
from perun.core.notices import InstanceRefused
from perun.core.rules.worth import greatest_fee_of
from perun.core.state import InstanceView, PeerId
from perun.errors import Misuse
from perun.types import Asset, MachineId, Wei

_YOUNG: Final = 3
"""Seconds in which a payment that others refuse is tried again: their view of the chain may be a
moment behind ours, above all right after a channel was opened."""

__all__ = ["advance", "begin", "fail", "on_met", "on_refused", "put", "tick"]


def begin(work: Work, caller: Caller, payment: Payment, host: str) -> Payment:
    """Signs it if a machine fits, else looks for a way; raises why there is none at all."""
    if caller.scope is not Scope.ALL:
        found = ways.with_room(work, payment.payee, payment.asset, payment.amount)
        fits = any(ways.usable(work.books, one) for one in found)
        most_fee = 0 if fits else greatest_fee_of(work.config.policy, payment.asset)
        check_limit(work, caller, payment.asset, payment.amount + most_fee)
        payment = replace(payment, token=caller.token)
    if host:
        # It admits whoever shows a request of its own, as long as that is open.
        work.desk.before(lambda: work.reach(payment.payee, host, payment.request, stay=False))
    signed = _try(work, payment)
    if signed is not None:
        return signed
    waiting = work.shelf.openings.get((payment.payee, payment.asset))
    if waiting is None:
        try:
            openings.begin(work, payment, payment.amount)
        except NotYet as error:
            payment = replace(payment, why=error.why)
            put(work, payment)
            return payment
        waiting = work.shelf.openings[payment.payee, payment.asset]
    payment = replace(payment, step=Step.OPENING, why=openings.progress(work, waiting))
    put(work, payment)
    return payment


def _try(work: Work, payment: Payment) -> Payment | None:
    """Fixes the segment, if a machine takes it; the row and the command are one write."""
    for instance in ways.with_room(work, payment.payee, payment.asset, payment.amount):
        with suppress(Misuse):
            work.desk.do(CommandPay(MachineId(instance.id), payment.amount))
            return _signed(work, payment, instance)
    return None


def _signed(work: Work, payment: Payment, instance: InstanceView) -> Payment:
    """The core has just asked for the statement that pays it."""
    last = work.books.totals[instance.id].asked
    first = Wei(last - payment.amount)
    signed = replace(payment, step=Step.SIGNED, machine=instance.id, first=first, last=last, why="")
    put(work, signed)
    work.desk.send(payment.payee, note_of(signed), instance.via)
    return signed


def advance(work: Work, payee: PeerId, asset: Asset) -> None:
    """Something has changed with a payee: signs what fits now, and goes on with the rest."""
    left = [row for row in _waiting(work, payee, asset) if _try(work, row) is None]
    opening = work.shelf.openings.get((payee, asset))
    if opening is not None and (not left or _is_over(work, opening)):
        work.drop(opening)
        opening = None
    if left and opening is None:
        _or_fail(work, left, lambda needs: openings.begin(work, left[0], needs))


def _is_over(work: Work, opening: Opening) -> bool:
    """Whether its machine is there, so that those who wait need another one."""
    if opening.random in work.books.invitations:
        return opening.channel not in work.books.channels
    return ways.forming(work.books, opening) is None


def _or_fail(
    work: Work, left: list[Payment], act: Callable[[Wei], None], *, refused: bool = False
) -> None:
    """Tries with what all need together, then with the first alone; or all of them fail, though
    not at others' first refusal."""
    try:
        act(Wei(sum(row.amount for row in left)))
    except NotYet as error:
        for row in left:
            if (row.step, row.why) != (Step.FINDING, error.why):
                put(work, replace(row, step=Step.FINDING, why=error.why))
    except NoWay as error:
        for row in left:
            if refused and work.now < row.created + _YOUNG:
                put(work, replace(row, step=Step.FINDING, why=error.why))
            else:
                fail(work, row, str(error))


def fail(work: Work, payment: Payment, why: str) -> None:
    """Nothing was paid, and nothing will be."""
    put(work, replace(payment, step=Step.FAILED, why=why))


def _waiting(work: Work, payee: PeerId, asset: Asset) -> list[Payment]:
    numbers = sorted(work.shelf.to_find.get((payee, asset), {}))
    rows = [work.shelf.payments.get(number, work.desk) for number in numbers]
    return [row for row in rows if row is not None]


def on_refused(work: Work, notice: InstanceRefused) -> None:
    """A machine was refused: smaller, elsewhere, or no payment."""
    instance = work.books.instances.get(notice.instance)
    for opening in list(work.shelf.openings.values()):
        if bytes(opening.random) != notice.instance and not ways.is_of(instance, opening):
            continue
        left = _waiting(work, opening.payee, opening.asset)
        work.drop(opening)
        if left:
            _or_fail(
                work,
                left,
                lambda needs, opening=opening, first=left[0]: openings.next_way(  # type: ignore[misc]
                    work, opening, first, needs, notice.reason
                ),
                refused=True,
            )


def _is_late(work: Work, row: Payment) -> bool:
    """Whether it has looked long enough; one that began under a clock that was set ahead, too."""
    return not row.until - work.settings.patience <= work.now <= row.until


def put(work: Work, row: Payment) -> None:
    """Stores a payment whose step, or reason, has changed."""
    work.put(row)
    work.changed[row.number] = row


def on_met(work: Work, peer: PeerId) -> None:
    """A peer is there again: what it may have missed is said again, and every wait goes on."""
    for opening in list(work.shelf.openings.values()):
        view = work.books.channels.get(opening.channel)
        if view is not None and peer in (opening.payee, view.peer):
            openings.repeat(work, opening)


def tick(work: Work) -> None:
    """Time passes: says again, tells progress, gives up."""
    for (payee, asset), numbers in list(work.shelf.to_find.items()):
        opening = work.shelf.openings.get((payee, asset))
        for number in list(numbers):
            row = work.shelf.payments.get(number, work.desk)
            if row is not None and _is_late(work, row):
                fail(work, row, str(openings.overdue(work, opening, row)))
        if opening is None:
            advance(work, payee, asset)
    for opening in list(work.shelf.openings.values()):
        if not work.shelf.to_find.get((opening.payee, opening.asset)):
            work.drop(opening)
        elif work.books.chain.waited(opening.said) >= work.settings.repeat:
            openings.repeat(work, opening)
