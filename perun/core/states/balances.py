"""What a party can count on: the worst of everything it has signed (protocol, section 7, P2).

A proposal of ours that is not resolved counts as done and as not done; so does a live Close. Of an
instance, what we have signed away counts as gone, and what we hold evidence for as ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from perun.core.books import Books
from perun.core.nanocontracts.instances import decided_shift
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import clamp_to_locks, gain, own_lock, reliable_holdings
from perun.core.state import ChannelView, Totals
from perun.core.states.content import agreed_content
from perun.types import Nano, Wei

__all__ = ["Balance", "balance"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Our money in one channel, in the asset's smallest unit."""

    free: Wei
    """Not locked, in the newest fully signed state."""
    locked: Wei
    """Ours, under instances, at their present totals."""
    guaranteed: Wei
    """The worst that can come of all we have signed."""


def balance(books: Books, view: ChannelView) -> Balance:
    """Our money in a channel, counted on final deposits and live withdrawals."""
    held = reliable_holdings(view)[view.role]
    net, nanos = agreed_content(view)
    free = held + gain(view.role, net) - sum(own_lock(nano, view.role) for nano in nanos)
    locked = sum(_present(books, view, nano) for nano in nanos)
    contents = [(net, nanos)]
    contents += [(proposal.state.net, proposal.state.nanos) for proposal in view.proposals]
    if view.held is not None and view.held.answering:
        contents.append((view.held.state.net, view.held.state.nanos))
    if view.close is not None:
        contents.append((view.close.close.net, ()))
    worst = min(
        held
        + gain(view.role, one)
        - sum(own_lock(nano, view.role) - _present(books, view, nano) for nano in list_)
        for one, list_ in contents
    )
    return Balance(Wei(free), Wei(locked), Wei(worst))


def _present(books: Books, view: ChannelView, nano: Nano) -> int:
    """Our lock, and what the instance has moved to or from us so far."""
    instance = books.instances.get(nano.id)
    shift = 0
    if instance is not None:
        decided = decided_shift(instance, instance.head, books.chain.head_time)
        totals = books.totals.get(nano.id) or Totals(nano.id)
        shift = (
            decided
            if decided is not None
            else kind_of(instance.terms).worst(instance.terms, instance, totals)
        )
    return own_lock(nano, view.role) + gain(view.role, clamp_to_locks(nano, shift))
