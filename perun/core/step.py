"""The one entrance: `step(books, input)`. What is taken up by whom, and when, says the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from perun.core.books import Books, Draft, Step
from perun.core.faults import NotAllowedNow, PeerNotAllowed, UnexpectedMessage, Unknown
from perun.core.inputs import CommandPay, Input, Received, Signed
from perun.core.nanocontracts import payments
from perun.core.rules.phases import phase
from perun.core.state import PeerId
from perun.core.table import SIGNED, TABLE, Row
from perun.encoding import messages as m
from perun.types import Statement

__all__ = ["OF_PAYMENTS", "step"]

OF_PAYMENTS: Final[dict[type, Callable[..., Step]]] = {
    m.Pay: payments.on_pay,
    m.Paid: payments.on_paid,
    m.NotPaid: payments.on_not_paid,
}
"""What a peer says of payments: of books, sender and message."""


# Rule store-2.
def step(books: Books, input: Input) -> Step:
    """What happened in; rows to store and things to do out. The books are not changed.

    Raises:
        Misuse: our user asked for something that cannot be done now.
        PeerFault: a peer said something that no rule allows, or not now.
    """
    # The frequent ones first; no input has subclasses, so the very type is asked for.
    draft: Draft
    if type(input) is Received:
        paid = OF_PAYMENTS.get(type(input.message))
        if paid is not None:
            return paid(books, input.sender, input.message)
        return _hear(books, input)
    if type(input) is CommandPay:
        return payments.pay(books, input)
    if type(input) is Signed:
        signed = input.sign.items[0].message
        if type(signed) is Statement and len(input.signatures) == 1:
            return payments.on_statement_signed(books, signed, input.signatures[0])
        draft = Draft(books)
        _on_signed(draft, input)
    else:
        draft = Draft(books)
        _take_up(draft, TABLE[type(input)], input)
    return draft.step()


def _take_up(draft: Draft, row: Row, input: Any) -> None:
    """What our user, the wire, the chain or the clock says."""
    if row.channel is None:
        row.act(draft, input)
        return
    view = draft.channel(row.channel(draft, input))
    now = phase(view, draft.chain)
    if now not in row.phases:
        raise NotAllowedNow(type(input).__name__, f"the channel is {now.value}")
    row.act(draft, view, input)


def _hear(books: Books, input: Received) -> Step:
    """What a peer says; about a channel only if that is the peer's."""
    draft, message, sender = Draft(books), input.message, input.sender
    name, row = type(message).__name__, TABLE.get(type(message))
    if row is None:
        raise UnexpectedMessage(name, "the runtime deals with it")
    if row.channel is None:
        _hear_of_no_channel(draft, row, sender, input)
        return draft.step()
    view = draft.books.channels.get(row.channel(draft, message))
    if view is None or view.peer != sender:
        raise UnexpectedMessage(name, "no such channel with this peer")
    now = phase(view, draft.chain)
    if now not in row.phases:
        raise PeerNotAllowed(name, f"the channel is {now.value}")
    row.act(draft, view, message)
    return draft.step()


def _hear_of_no_channel(draft: Draft, row: Row, sender: PeerId, input: Received) -> None:
    if type(input.message) is m.Invite:
        # The only one of which the way it came says where it belongs.
        row.act(draft, sender, input.message, input.via)
    else:
        row.act(draft, sender, input.message)


def _on_signed(draft: Draft, input: Signed) -> None:
    """Our signer has signed what it was asked for together."""
    for item, signature in zip(input.sign.items, input.signatures, strict=True):
        act = SIGNED.get(type(item.message))
        if act is None:
            raise Unknown("request of ours", item.key)
        act(draft, item.message, signature)
