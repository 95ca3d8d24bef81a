"""Requests of ours: made, signed, cancelled, over."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from perun.app.errors import BadParams, KeyReused, NoSuch
from perun.app.methods import CancelRequest, MakeRequest
from perun.app.receipts import request_of
from perun.app.rows import OwnRequest, RequestState
from perun.app.show import show_request
from perun.app.spending import digest_of
from perun.app.texts import amount_of, asset_of, bytes_of, who
from perun.app.work import Work
from perun.core.effects import SignItem
from perun.core.faults import NotAllowedNow
from perun.core.state import PeerId
from perun.encoding.requests import PaymentRequest
from perun.types import Asset, Signature, UnixTime

__all__ = ["cancel", "make", "on_request_signed", "sign_again", "tick"]


def make(work: Work, params: MakeRequest) -> OwnRequest:
    """A new request; it has its link once it is signed."""
    digest = digest_of("request", params)
    if params.idempotency_key is not None:
        known = work.shelf.request_keys.get(params.idempotency_key)
        if known is not None:
            row = work.shelf.requests[known]
            if row.digest != digest:
                raise KeyReused(params.idempotency_key, "request")
            return row
    if work.books.exit_only:
        raise NotAllowedNow("ask for money", "this store was restored or copied")
    asset = asset_of(params.asset)
    if asset not in work.config.policy.assets:
        raise BadParams("this node does not take that asset")
    if len(params.memo) > 256:
        raise BadParams("the memo is longer than 256 characters")
    relay, host = _relay(work, params, asset)
    row = OwnRequest(
        bytes(work.random()),
        asset,
        amount_of(params.amount),
        params.memo,
        UnixTime(work.date + params.seconds),
        relay,
        host,
        work.date,
        params.idempotency_key or "",
        digest,
    )
    work.put(row)
    _sign(work, row)
    return row


def _relay(work: Work, params: MakeRequest, asset: Asset) -> tuple[PeerId, str]:
    """The hub that is named: the one asked for, else the contact with a host that we have most
    money to receive with."""
    if params.relay is not None:
        named = who(work.shelf, params.relay)
        return named.peer, named.host
    best: tuple[int, PeerId, str] = (0, b"", "")
    for view in work.books.channels.values():
        theirs = max(view.final.alice, view.final.bob) if view.channel.asset == asset else 0
        if theirs and not view.head.ended and not view.leaving:
            contact = work.shelf.names.get(view.peer)
            best = max(best, (int(theirs), view.peer, contact.host if contact else ""))
    return best[1], best[2]


def _sign(work: Work, row: OwnRequest) -> None:
    work.desk.sign(SignItem(work.config.identity.key, request_of(work, row)))


def on_request_signed(work: Work, request: PaymentRequest, signature: Signature) -> None:
    """The request is ready to be handed out."""
    row = work.shelf.requests.get(request.id)
    if row is not None and request_of(work, row) == request:
        work.put(replace(row, signature=signature))


def sign_again(work: Work) -> None:
    """After a restart: requests that were asked for and not signed."""
    for row in list(work.shelf.requests.values()):
        if not row.signature and row.state is RequestState.OPEN:
            _sign(work, row)


def cancel(work: Work, params: CancelRequest) -> OwnRequest:
    """Takes no more money for it; what comes all the same can be refunded."""
    id = bytes_of(params.id, 32, "id")
    row = work.shelf.requests.get(id)
    if row is None:
        raise NoSuch("request", params.id)
    if row.state is RequestState.OPEN:
        row = replace(row, state=RequestState.CANCELLED)
        _changed(work, row)
    return row


def _changed(work: Work, row: OwnRequest) -> None:
    work.put(row)
    work.event("request", row.id, show_request(work, row))


def tick(work: Work) -> None:
    """Requests that are over; those long over are forgotten."""
    over: list[Callable[[], None]] = []
    for row in work.shelf.requests.values():
        late = work.date - row.until
        if row.state is RequestState.OPEN and late > work.settings.grace:
            over.append(lambda row=row: _changed(work, replace(row, state=RequestState.EXPIRED)))  # type: ignore[misc]
        elif row.state is not RequestState.OPEN and late > work.settings.keep:
            over.append(lambda row=row: work.drop(row))  # type: ignore[misc]
    for act in over:
        act()
