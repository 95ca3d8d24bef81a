"""What is ours in a channel, valued in one way for our user, for exits and for disputes.

A nano is worth our lock and what its instance moves, cut to the locks. Which shift that is depends
on what is asked: `balance` takes the worst of all we have signed and hold evidence for (protocol,
section 7, P2), `alone` what comes out if nobody signs anything more and each side submits all that
it holds, `payable` only what the chain has decided. A proposal of ours that is not resolved counts
as done and as not done; so does a live Close.
"""

from __future__ import annotations

from dataclasses import dataclass

from perun.core.books import Books, Draft
from perun.core.nanocontracts.gate import what_counts
from perun.core.nanocontracts.instances import decided_shift
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import (
    clamp_to_locks,
    free_money,
    gain,
    own_lock,
    reliable_holdings,
)
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, InstanceView
from perun.core.states.content import agreed_content, agreed_version
from perun.types import Nano, UnixTime, Wei

__all__ = ["Balance", "alone", "balance", "counting", "payable"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Our money in one channel, in the asset's smallest unit."""

    free: Wei
    """Not locked, in the newest fully signed state."""
    locked: Wei
    """Ours, under instances, at their present totals."""
    guaranteed: Wei
    """The worst that can come of all we have signed."""


# Rule answer-6.
def balance(books: Books, view: ChannelView) -> Balance:
    """Our money in a channel, counted on final deposits and live withdrawals."""
    draft, role = Draft(books), view.role
    held = reliable_holdings(view)
    net, nanos = agreed_content(view)
    contents = [(net, nanos)]
    contents += [(proposal.state.net, proposal.state.nanos) for proposal in view.proposals]
    if view.held is not None and view.held.answering:
        contents.append((view.held.state.net, view.held.state.nanos))
    if view.close is not None:
        contents.append((view.close.close.net, ()))
    totals = [
        free_money(held, one, listed, role) + sum(_worst(draft, view, nano) for nano in listed)
        for one, listed in contents
    ]
    locked = sum(_worst(draft, view, nano) for nano in nanos)
    return Balance(Wei(totals[0] - locked), Wei(locked), Wei(min(totals)))


def alone(books: Books, view: ChannelView) -> Wei:
    """What the chain pays us in the end, by what the newest block shows."""
    if phase(view, books.chain) is Phase.ENDED or not (view.head.alice or view.head.bob):
        return Wei(0)
    draft = Draft(books)
    net, nanos = counting(view, books.chain.head_time)
    free = free_money((view.head.alice, view.head.bob), net, nanos, view.role)
    return Wei(free + sum(_enforceable(draft, view, nano) for nano in nanos))


def payable(draft: Draft, view: ChannelView) -> Wei:
    """What a `settle` in the next block would pay us; 0 before the deadline."""
    dispute = view.head.dispute
    if dispute is None or draft.now <= dispute.deadline:
        return Wei(0)
    free = 0
    if not dispute.settling:
        holdings = (view.head.alice, view.head.bob)
        free = free_money(holdings, dispute.net, dispute.nanos, view.role)
    return Wei(free + sum(_decided(draft, view, nano) for nano in dispute.nanos))


def counting(view: ChannelView, now: UnixTime) -> tuple[Wei, tuple[Nano, ...]]:
    """`net` and list that count: the registered ones unless ours are newer and still in time."""
    net, nanos = agreed_content(view)
    dispute = view.head.dispute
    if dispute is None:
        return net, nanos
    if dispute.settling:
        return Wei(0), dispute.nanos
    in_time = agreed_version(view) > dispute.version and now <= dispute.deadline
    return (net, nanos) if in_time else (dispute.net, dispute.nanos)


# -------------------------------------------------------------------------------------- one nano


def _ours(view: ChannelView, nano: Nano, shift: Wei) -> int:
    """Our lock, and what the instance moves to or from us."""
    return own_lock(nano, view.role) + gain(view.role, clamp_to_locks(nano, shift))


def _shown(draft: Draft, instance: InstanceView | None) -> Wei | None:
    return None if instance is None else decided_shift(instance, instance.head, draft.now)


def _worst(draft: Draft, view: ChannelView, nano: Nano) -> int:
    instance = draft.find_instance(nano.id)
    shift = _shown(draft, instance)
    if shift is None and instance is not None:
        instance = what_counts(draft, instance)
        kind, totals = kind_of(instance.terms), draft.totals(instance.id)
        shift = kind.worst(instance.terms, instance, totals)
    return _ours(view, nano, shift or Wei(0))


def _enforceable(draft: Draft, view: ChannelView, nano: Nano) -> int:
    instance = draft.find_instance(nano.id)
    shift = _shown(draft, instance)
    if shift is None and instance is not None:
        instance = what_counts(draft, instance)
        kind, totals = kind_of(instance.terms), draft.totals(instance.id)
        shift = kind.enforceable(instance.terms, instance, totals, draft.now)
    return _ours(view, nano, shift or Wei(0))


def _decided(draft: Draft, view: ChannelView, nano: Nano) -> int:
    """What `settle` takes out of the list now; 0: it stays locked, or brings us nothing."""
    shift = _shown(draft, draft.find_instance(nano.id))
    if shift is None and draft.now <= nano.expiry:
        return 0
    return _ours(view, nano, shift or Wei(0))
