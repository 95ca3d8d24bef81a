"""What becomes of a payment that is signed: the payee's word, and what it was for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from msgspec.structs import replace

from perun.app.paying import fail, put
from perun.app.receipts import note_of, receipt_of
from perun.app.rows import Payment, Step
from perun.app.work import Work
from perun.core.inputs import CommandShow
from perun.core.nanocontracts.instances import one_way
from perun.core.notices import InstanceRemoved, PaymentDelivered, PaymentRefused
from perun.core.state import PeerId, Role
from perun.crypto.keys import PublicKey
from perun.encoding.messages import Noted
from perun.errors import Misuse
from perun.types import InstanceId, MachineId, Wei

__all__ = [
    "on_delivered",
    "on_not_counted",
    "on_noted",
    "on_removed",
    "say_notes",
    "say_unanswered",
    "settle",
    "show_refused",
]

_SOON: Final = 10
"""Seconds; afterwards it is said again with everything else, every `Settings.repeat`."""
_MOST_AT_ONCE: Final = 1_000
"""Notes of one machine that are said again together."""


def say_notes(work: Work, peer: PeerId | None = None) -> None:
    """Says again what was not answered: to everybody, or to whoever is reached by a peer."""
    for machine in list(work.shelf.in_machine):
        instance = work.books.instances.get(machine)
        if instance is None:
            _over(work, machine)
        elif peer is None or peer in (instance.end, instance.via):
            rows = list(islice(_fixed(work, machine), _MOST_AT_ONCE))
            if machine in work.shelf.undelivered:
                # Lost, or refused while a removal was signed that has come to nothing.
                with suppress(Misuse):
                    work.desk.do(CommandShow(MachineId(machine)))
            for row in rows:
                work.desk.send(row.payee, note_of(row), instance.via)


def show_refused(work: Work) -> None:
    """Shows again, every second for a while, what a payee did not count."""
    refused = work.shelf.refused
    for machine, left in list(refused.items()):
        if left and machine in work.shelf.undelivered:
            refused[machine] = left - 1
            with suppress(Misuse):
                work.desk.do(CommandShow(MachineId(machine)))
        elif machine not in work.shelf.undelivered:
            del refused[machine]


def say_unanswered(work: Work) -> None:
    """Says again, every second for a while, notes of money that has arrived: their payee is there,
    so the notes were lost, as when a hub between us has just been started again."""
    unanswered = work.shelf.unanswered
    for machine, left in list(unanswered.items()):
        instance = work.books.instances.get(machine)
        rows = [row for row in _fixed(work, machine) if row.step is Step.DELIVERED]
        if instance is None or not rows or not left:
            del unanswered[machine]
            continue
        unanswered[machine] = left - 1
        for row in rows[:_MOST_AT_ONCE]:
            work.desk.send(row.payee, note_of(row), instance.via)


def _over(work: Work, machine: InstanceId) -> None:
    """The core has forgotten a machine: what was paid in it was settled long ago.

    What left is not called failed: nobody may take that for leave to pay it again.
    """
    for row in list(_fixed(work, machine)):
        why = "the payee never said for what"
        if row.step is Step.SIGNED:
            why = "the payee never confirmed it; its machine is over, and what it held was settled"
        put(work, replace(row, step=Step.DONE, why=why))


def _fixed(work: Work, machine: InstanceId) -> Iterator[Payment]:
    """Payments in a machine that are not done, by rising totals; not to be changed meanwhile."""
    return _rows(work, work.shelf.in_machine.get(machine, {}))


def _undelivered(work: Work, machine: InstanceId) -> Iterator[Payment]:
    """Those of which we do not know that the payee has the money."""
    return _rows(work, work.shelf.undelivered.get(machine, {}))


def _rows(work: Work, numbers: dict[Wei, int]) -> Iterator[Payment]:
    for number in numbers.values():
        row = work.shelf.payments.get(number, work.desk)
        if row is not None:
            yield row


def on_delivered(work: Work, notice: PaymentDelivered) -> None:
    """The payee has a total on disk. Most often it says in the same breath that it has the notes,
    too, so rows are not changed before `settle`."""
    machine, total = notice.machine, notice.total
    work.delivered[machine] = max(total, work.delivered.get(machine, total))


def settle(work: Work) -> None:
    """Payments whose money has arrived and whose notes nobody has answered yet."""
    if not work.delivered:
        return
    shelf, rows = work.shelf, []
    for machine, total in work.delivered.items():
        for last, number in shelf.undelivered.get(machine, {}).items():
            if last > total:
                break
            rows.append(shelf.payments.get(number, work.desk))
            shelf.unanswered[machine] = _SOON
    work.delivered.clear()
    for row in rows:
        if row is not None:
            put(work, replace(row, step=Step.DELIVERED, why=""))


def on_not_counted(work: Work, notice: PaymentRefused) -> None:
    """The payee says it does not count a total; what we signed stays signed."""
    settle(work)
    # Most often the payee's view of the chain is a moment behind ours.
    work.shelf.refused.setdefault(notice.machine, _SOON)
    for row in list(_undelivered(work, notice.machine)):
        if row.last <= notice.total and row.why != notice.reason:
            put(work, replace(row, why=notice.reason))


def on_removed(work: Work, notice: InstanceRemoved) -> None:
    """A machine is out of the channel: what moved was paid, the rest never will be."""
    totals = work.books.totals.get(notice.instance)
    instance = work.books.instances.get(notice.instance)
    paid = Wei(0) if totals is None else totals.sent
    if instance is not None and one_way(instance.terms) is Role.ALICE:
        # One way: the shift is the very total that was counted.
        paid = notice.shift
    for row in list(_undelivered(work, notice.instance)):
        if row.last <= paid:
            put(work, replace(row, step=Step.DELIVERED, why=""))
        else:
            fail(work, row, f"the machine was taken out at {paid}, before it counted")


def on_noted(work: Work, sender: PeerId, message: Noted) -> None:
    """The payee has counted a payment, and knows what it was for.

    Raises:
        BadSignature: no receipt of the payee; the note will be said again.
    """
    number = work.shelf.in_machine.get(message.machine, {}).get(message.last)
    row = None if number is None else work.shelf.payments.get(number, work.desk)
    if row is None or row.payee != sender:
        return
    why, signature = message.why, message.receipt
    if row.request and not why:
        receipt = receipt_of(work, row, message.at)
        work.books.checker.check(receipt, signature, PublicKey(row.payee).address)
    else:
        signature = row.receipt
    put(work, replace(row, step=Step.DONE, why=why, receipt=signature, receipt_at=message.at))
