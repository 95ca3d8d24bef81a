"""Questions that are answered at once, out of books and rows."""

from __future__ import annotations

from collections.abc import Iterator

from perun.app import values as v
from perun.app.errors import BadParams, NoSuch
from perun.app.methods import GetPayment, GetPayments, GetRequests
from perun.app.show import show_income, show_payment, show_request
from perun.app.texts import bytes_of
from perun.app.work import Work

__all__ = ["payment", "payments", "requests"]


def payments(work: Work, params: GetPayments) -> tuple[v.Payment, ...]:
    """Ours and those to us, the newest first."""
    shelf = work.shelf
    ours: Iterator[v.Payment] = iter(())
    theirs: Iterator[v.Payment] = iter(())
    if params.direction != "in":
        ours = (show_payment(work, row) for row in shelf.payments.newest(work.desk))
    if params.direction != "out":
        theirs = (show_income(work, row) for row in shelf.incomes.newest(work.desk))
    found: list[v.Payment] = []
    for one in _newest(ours, theirs):
        if params.before is not None and one.created >= params.before:
            continue
        found.append(one)
        if len(found) == params.limit:
            break
    return tuple(found)


def _newest(*sources: Iterator[v.Payment]) -> Iterator[v.Payment]:
    """Several, each the newest first, as one."""
    heads = [(source, next(source, None)) for source in sources]
    while True:
        live = [(source, head) for source, head in heads if head is not None]
        if not live:
            return
        source, head = max(live, key=lambda one: one[1].created)
        yield head
        heads = [(s, next(s, None) if s is source else h) for s, h in live]


def payment(work: Work, params: GetPayment) -> v.Payment:
    """One, by its id or key."""
    shelf = work.shelf
    if params.idempotency_key is not None:
        number = shelf.by_key.get(params.idempotency_key)
    elif params.id is not None:
        id = bytes_of(params.id, 32, "id")
        number = shelf.by_id.get(id)
        if number is None:
            for (_, name), place in shelf.incomes_by_id.items():
                row = shelf.incomes.get(place, work.desk) if name == id else None
                if row is not None:
                    return show_income(work, row)
    else:
        raise BadParams("say which: its id, or the key it was made with")
    ours = None if number is None else shelf.payments.get(number, work.desk)
    if ours is None:
        raise NoSuch("payment", params.idempotency_key or params.id or "")
    return show_payment(work, ours)


def requests(work: Work, params: GetRequests) -> tuple[v.Request, ...]:
    """Ours, the newest first."""
    rows = sorted(work.shelf.requests.values(), key=lambda row: -row.created)
    return tuple(show_request(work, row) for row in rows[: params.limit])
