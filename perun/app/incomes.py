"""Payments to us: a note and the money it names, in whichever order they come.

Each part of a total is spoken for once. A request is credited once, when the accepted total covers
the note that names it; then its receipt is signed, and only then the payer is answered.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.app import keeping
from perun.app.rows import Income, OwnRequest, RequestState, WaitingNote
from perun.app.show import show_request
from perun.app.work import Work
from perun.core.effects import SignItem
from perun.core.faults import UnexpectedMessage
from perun.core.nanocontracts.instances import locks
from perun.core.notices import PaymentReceived
from perun.core.state import InstanceView, PeerId, Totals
from perun.encoding.messages import Note, Noted
from perun.encoding.requests import Receipt
from perun.types import Asset, MachineId, Signature, Wei

__all__ = ["on_money", "on_note", "on_receipt_signed", "sign_again"]


def on_note(work: Work, sender: PeerId, note: Note) -> None:
    """The payer says what a part of its total is for.

    Raises:
        UnexpectedMessage: no such machine with this peer, or a part that is spoken for.
    """
    instance = work.books.instances.get(note.machine)
    if instance is None or instance.machine is None or instance.end != sender:
        raise UnexpectedMessage("Note", "no such machine with this peer")
    if instance.role is None:
        raise UnexpectedMessage("Note", "not to a hub")
    number = work.shelf.by_segment.get(instance.id, {}).get(note.last)
    if number is not None:
        known = work.shelf.incomes.get(number, work.desk)
        if known is not None and known.id == note.payment and known.first == note.first:
            _answer(work, instance, known)
            return
    waiting = work.shelf.waiting.get(instance.id, {})
    if note.last in waiting and waiting[note.last].payment == note.payment:
        return
    segments, spoken = work.shelf.segments.get(instance.id), work.shelf.spoken.get(instance.id)
    is_free = segments is None or segments.free(note.first, note.last)
    if not is_free or (spoken is not None and note.first < spoken.until):
        raise UnexpectedMessage("Note", "a part of it is spoken for")
    if segments is not None and len(segments) >= work.settings.most_parts:
        raise UnexpectedMessage("Note", "too many parts of it are left out")
    totals = work.books.totals.get(instance.id) or Totals(instance.id)
    if note.last <= totals.received:
        _count(work, instance, note)
        return
    lock = locks(instance.terms)[instance.role.other]
    if note.last <= lock + totals.sent and len(waiting) < work.settings.most_notes:
        work.put(
            WaitingNote(
                instance.id,
                note.first,
                note.last,
                note.payment,
                note.request,
                note.refunds,
                note.text,
            )
        )


def on_money(work: Work, notice: PaymentReceived) -> None:
    """A total has risen: notes that waited for it are covered."""
    waiting = work.shelf.waiting.get(notice.machine)
    if not waiting:
        return
    instance = work.books.instances[notice.machine]
    for last in sorted(waiting):
        if last > notice.total:
            return
        row = waiting[last]
        note = Note(
            notice.machine, row.first, last, row.payment, row.request, row.refunds, row.text
        )
        _count(work, instance, note)
        work.drop(row)


def _count(work: Work, instance: InstanceView, note: Note) -> None:
    """Both are here: the income, and the request that it pays."""
    shelf, asset = work.shelf, _asset(work, instance)
    income = Income(
        shelf.incomes.next,
        note.payment,
        instance.end,
        asset,
        instance.id,
        note.first,
        note.last,
        work.date,
        note.text,
        refunds=note.refunds,
    )
    request = None
    if note.request:
        request = shelf.requests.get(note.request)
        why = _why_not(work, request, income)
        if why is None:
            income = replace(income, request=note.request)
        else:
            income, request = replace(income, why=why), None
    work.put(income)
    keeping.bound(work, income.payer)
    work.event_of("received", income)
    if request is None:
        _answer(work, instance, income)
        return
    paid = replace(request, state=RequestState.PAID, income=income.number)
    work.put(paid)
    work.event("request", paid.id, show_request(work, paid))
    _sign(work, income)


def _asset(work: Work, instance: InstanceView) -> Asset:
    return work.books.channels[instance.legs[0].channel].channel.asset


def _why_not(work: Work, request: OwnRequest | None, income: Income) -> str | None:
    """Why an income does not count for a request; None: it does."""
    if request is None:
        return "no such request of ours"
    if request.state is not RequestState.OPEN:
        return f"the request is {request.state.name.lower()}"
    if work.date > request.until + work.settings.grace:
        return "the request has expired"
    if income.asset != request.asset:
        return "the request asks for another asset"
    amount = income.last - income.first
    if request.amount and amount != request.amount:
        return f"the request asks for {request.amount}, not {amount}"
    return None


def _answer(work: Work, instance: InstanceView, income: Income) -> None:
    """Tells the payer, unless a receipt is still to be signed."""
    if income.request and not income.receipt:
        return
    noted = Noted(
        MachineId(income.machine), income.last, income.at, income.receipt, income.why[:200]
    )
    work.desk.send(income.payer, noted, instance.via)


# ---------------------------------------------------------------------------------------- receipts


def receipt_for(work: Work, income: Income) -> Receipt:
    """What we sign for an income that pays a request."""
    return Receipt(
        work.me,
        work.settings.genesis,
        work.config.deployment.contract.contract,
        income.asset,
        Wei(income.last - income.first),
        income.request,
        income.payer,
        income.at,
    )


def _sign(work: Work, income: Income) -> None:
    work.desk.sign(SignItem(work.config.identity.key, receipt_for(work, income)))


def on_receipt_signed(work: Work, receipt: Receipt, signature: Signature) -> None:
    """The receipt is stored and leaves."""
    request = work.shelf.requests.get(receipt.id)
    if request is None:
        return
    income = work.shelf.incomes.get(request.income, work.desk)
    if income is None or receipt_for(work, income) != receipt:
        return
    income = replace(income, receipt=signature)
    work.put(income)
    instance = work.books.instances.get(income.machine)
    if instance is not None:
        _answer(work, instance, income)


def sign_again(work: Work) -> None:
    """After a restart: receipts that were asked for and not signed."""
    for request in work.shelf.requests.values():
        if request.state is RequestState.PAID:
            income = work.shelf.incomes.get(request.income, work.desk)
            if income is not None and not income.receipt:
                _sign(work, income)
