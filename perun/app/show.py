"""Rows as the interface shows them."""

from __future__ import annotations

from typing import Final, Literal

from perun.app import values as v
from perun.app.receipts import request_of
from perun.app.rows import Income, OwnRequest, Payment, RequestState, Step
from perun.app.texts import hexed, show_account, show_node
from perun.app.work import Work
from perun.encoding.links import Link, show_link

__all__ = ["show_income", "show_payment", "show_request"]

_STEPS: Final[dict[Step, v.Step]] = {
    Step.FINDING: "finding",
    Step.OPENING: "opening",
    Step.SIGNED: "signed",
    Step.DELIVERED: "delivered",
    Step.DONE: "done",
    Step.FAILED: "failed",
}


def show_payment(work: Work, row: Payment) -> v.Payment:
    """A payment of ours."""
    back = work.shelf.got_back.get((row.payee, row.id), 0)
    return v.Payment(
        id=hexed(row.id),
        direction="out",
        peer=show_node(row.payee),
        asset=show_account(row.asset),
        amount=str(row.amount),
        step=_STEPS[row.step],
        why=row.why,
        request=hexed(row.request) if row.request else None,
        text=row.text,
        machine=hexed(row.machine) if row.machine else None,
        first=str(row.first),
        last=str(row.last),
        created=row.created,
        receipt=hexed(row.receipt) if row.receipt else None,
        refunds=hexed(row.refunds) if row.refunds else None,
        refunded=str(back),
    )


def show_income(work: Work, row: Income) -> v.Payment:
    """A payment to us."""
    back = work.shelf.given_back.get((row.payer, row.id), 0)
    return v.Payment(
        id=hexed(row.id),
        direction="in",
        peer=show_node(row.payer),
        asset=show_account(row.asset),
        amount=str(row.last - row.first),
        step="received",
        why=row.why,
        request=hexed(row.request) if row.request else None,
        text=row.text,
        machine=hexed(row.machine),
        first=str(row.first),
        last=str(row.last),
        created=row.at,
        receipt=hexed(row.receipt) if row.receipt else None,
        refunds=hexed(row.refunds) if row.refunds else None,
        refunded=str(back),
    )


def show_request(work: Work, row: OwnRequest) -> v.Request:
    """A request of ours."""
    income = work.shelf.incomes.get(row.income, work.desk) if row.income else None
    link = Link(
        work.me,
        work.settings.host,
        request_of(work, row),
        work.config.deployment.contract.chain_id,
        row.memo,
        row.relay_host,
        row.signature,
    )
    return v.Request(
        id=hexed(row.id),
        uri=show_link(link) if row.signature else "",
        asset=show_account(row.asset),
        amount=str(row.amount),
        memo=row.memo,
        until=row.until,
        state=_STATES[row.state],
        paid="0" if income is None else str(income.last - income.first),
        payer=None if income is None else show_node(income.payer),
        payment=None if income is None else hexed(income.id),
        created=row.created,
    )


_STATES: Final[dict[RequestState, Literal["open", "paid", "expired", "cancelled"]]] = {
    RequestState.OPEN: "open",
    RequestState.PAID: "paid",
    RequestState.EXPIRED: "expired",
    RequestState.CANCELLED: "cancelled",
}
