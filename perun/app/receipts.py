"""What goes with a payment: its note, the terms it was made for, and what the payee signs."""

from __future__ import annotations

from typing import Any

from perun.app.rows import OwnRequest, Payment
from perun.app.work import Work
from perun.encoding.messages import Note
from perun.encoding.packing import unpack
from perun.encoding.requests import PaymentRequest, Receipt, memo_hash
from perun.types import MachineId, UnixTime

__all__ = ["note_of", "receipt_of", "request_of", "terms_of"]


def note_of(payment: Payment) -> Note:
    """What the payee is told of a payment of ours."""
    return Note(
        MachineId(payment.machine),
        payment.first,
        payment.last,
        payment.id,
        payment.request,
        payment.refunds,
        payment.text,
    )


def terms_of(payment: Payment) -> PaymentRequest:
    """The request that a payment of ours is for."""
    request: Any = unpack(payment.terms, PaymentRequest)
    assert isinstance(request, PaymentRequest)
    return request


def request_of(work: Work, row: OwnRequest) -> PaymentRequest:
    """What is signed for a request of ours."""
    return PaymentRequest(
        work.me,
        work.settings.genesis,
        work.config.deployment.contract.contract,
        row.asset,
        row.amount,
        row.id,
        row.until,
        memo_hash(row.memo),
        row.relay,
    )


def receipt_of(work: Work, payment: Payment, at: UnixTime) -> Receipt:
    """What the payee signs for a payment of ours."""
    request = terms_of(payment)
    return Receipt(
        request.payee,
        request.genesis,
        request.contract,
        request.asset,
        payment.amount,
        request.id,
        work.me,
        at,
    )
