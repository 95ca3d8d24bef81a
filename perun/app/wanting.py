"""What our user wants paid: somebody, a request, a refund; the same asked again is one payment."""

from __future__ import annotations

from msgspec.structs import replace

from perun.app.errors import (
    BadParams,
    BadRequest,
    KeyReused,
    NoSuch,
    RequestAltered,
    RequestExpired,
)
from perun.app.methods import Pay, Refund
from perun.app.paying import begin
from perun.app.receipts import terms_of
from perun.app.rows import Income, Payment, Step
from perun.app.spending import digest_of
from perun.app.texts import amount_of, asset_of, bytes_of, hexed, who
from perun.app.work import Caller, Work
from perun.core.faults import NotEnoughMoney
from perun.core.state import PeerId
from perun.crypto.keys import PublicKey
from perun.encoding.links import Link, parse_link
from perun.encoding.messages import MAX_TEXT
from perun.encoding.packing import pack
from perun.encoding.requests import PaymentRequest
from perun.errors import BadSignature, show
from perun.types import Asset, UnixTime, Wei

__all__ = ["given_back", "pay", "refund"]


def pay(work: Work, caller: Caller, params: Pay) -> Payment:
    """Pays somebody, or a request; the same asked again is the same payment."""
    digest = digest_of("pay", params)
    known = _known(work, params.idempotency_key, digest)
    if known is not None:
        return known
    if params.to.lower().startswith("perun:"):
        return _pay_link(work, caller, params, digest)
    to = who(work.shelf, params.to)
    if params.amount is None:
        raise BadParams("say how much: only a request says so itself")
    payment = _new(
        work,
        params.idempotency_key,
        digest,
        to.peer,
        asset_of(params.asset),
        amount_of(params.amount),
        params.text,
    )
    return begin(work, caller, payment, to.host)


def _pay_link(work: Work, caller: Caller, params: Pay, digest: bytes) -> Payment:
    link = parse_link(params.to)
    if link.request is None:
        if params.amount is None:
            raise BadParams("this link names no amount: say how much")
        amount, asset = amount_of(params.amount), asset_of(params.asset)
    else:
        check_request(work, link)
        amount, asset = _terms(params, link.request)
        before = _paid_before(work, link.request)
        if before is not None:
            return before
        if link.request.until < work.date:
            raise RequestExpired(link.request.id, link.request.until, work.date)
    payment = _new(
        work, params.idempotency_key, digest, link.payee, asset, amount, params.text or link.memo
    )
    if link.request is not None:
        payment = replace(
            payment,
            request=link.request.id,
            terms=pack(link.request),
            relay=link.request.relay,
            until=UnixTime(min(payment.until, work.now + link.request.until - work.date)),
        )
    return begin(work, caller, payment, link.host or link.relay_host)


def check_request(work: Work, link: Link) -> None:
    """That a request is for our network, and signed by whom it names.

    Raises:
        BadParams: for another network.
        BadRequest: signed by somebody else, or its text was changed.
    """
    request, domain = link.request, work.config.deployment.contract
    assert request is not None
    for what, wanted, ours in (
        ("chain", link.chain_id, domain.chain_id),
        ("contract", hexed(request.contract), hexed(domain.contract)),
        ("a chain that begins with", hexed(request.genesis), hexed(work.settings.genesis)),
    ):
        if wanted != ours:
            raise BadParams(f"the request is for {what} {wanted}, this node for {ours}")
    if request.payee == work.me:
        raise BadParams("this is a request of your own")
    try:
        key = PublicKey(request.payee).address
        work.books.checker.check(request, link.signature, key)
    except BadSignature as error:
        raise _forged(error) from None


def _forged(error: BadSignature) -> BadRequest:
    from_whom = "nobody" if error.recovered is None else "somebody else"
    return BadRequest(f"it is signed by {from_whom}, not by its payee")


def _terms(params: Pay, request: PaymentRequest) -> tuple[Wei, Asset]:
    """What is paid: as the request says; our user may only choose where it does not."""
    if params.asset is not None and asset_of(params.asset) != request.asset:
        raise BadParams("the request asks for another asset")
    if request.amount:
        if params.amount is not None and amount_of(params.amount) != request.amount:
            raise BadParams(f"the request asks for {request.amount}, not {params.amount}")
        return request.amount, request.asset
    if params.amount is None:
        raise BadParams("the request leaves the amount to you: say how much")
    return amount_of(params.amount), request.asset


def _paid_before(work: Work, request: PaymentRequest) -> Payment | None:
    """The payment for this request, unless it failed; once per payee and id.

    Raises:
        RequestAltered: what we know under this id says something else.
    """
    number = work.shelf.by_request.get((request.payee, request.id))
    known = None if number is None else work.shelf.payments.get(number, work.desk)
    if known is None:
        return None
    before = terms_of(known)
    for field in PaymentRequest.__struct_fields__:
        old, new = getattr(before, field), getattr(request, field)
        if old != new:
            raise RequestAltered(request.id, field, show(old), show(new))
    return None if known.step is Step.FAILED else known


def refund(work: Work, caller: Caller, params: Refund) -> Payment:
    """Gives back what somebody has paid us."""
    digest = digest_of("refund", params)
    known = _known(work, params.idempotency_key, digest)
    if known is not None:
        return known
    income = _income(work, bytes_of(params.payment, 32, "payment"))
    left = Wei(income.last - income.first - given_back(work, income))
    amount = left if params.amount is None else amount_of(params.amount)
    if amount > left or not left:
        raise NotEnoughMoney("refund", left, amount, income.asset)
    payment = _new(
        work,
        params.idempotency_key,
        digest,
        income.payer,
        income.asset,
        amount,
        params.text or "refund",
    )
    return begin(work, caller, replace(payment, refunds=income.id), "")


def given_back(work: Work, income: Income) -> Wei:
    """What we have refunded of it, or are about to."""
    return work.shelf.given_back.get((income.payer, income.id), Wei(0))


def _income(work: Work, id: bytes) -> Income:
    found = [number for (_, one), number in work.shelf.incomes_by_id.items() if one == id]
    if len(found) > 1:
        raise BadParams("two payers gave their payments this name: refund by paying")
    row = work.shelf.incomes.get(found[0], work.desk) if found else None
    if row is None:
        raise NoSuch("payment to us", "0x" + id.hex())
    return row


def _known(work: Work, key: str, digest: bytes) -> Payment | None:
    number = work.shelf.by_key.get(key)
    known = None if number is None else work.shelf.payments.get(number, work.desk)
    if known is not None and known.digest != digest:
        raise KeyReused(key, "payment")
    if known is None and key in work.shelf.errand_keys:
        raise KeyReused(key, "method")
    return known


def _new(
    work: Work, key: str, digest: bytes, payee: PeerId, asset: Asset, amount: Wei, text: str
) -> Payment:
    if not amount:
        raise BadParams("the amount is 0")
    if payee == work.me:
        raise BadParams("this is your own node")
    if len(text) > MAX_TEXT:
        raise BadParams(f"the text is longer than {MAX_TEXT} characters")
    return Payment(
        work.shelf.payments.next,
        bytes(work.random()),
        key,
        digest,
        "",
        payee,
        asset,
        amount,
        work.date,
        UnixTime(work.now + work.settings.patience),
        text=text,
    )
