"""What a channel will pay us in the end, if nobody signs anything more, and by when."""

from __future__ import annotations

from dataclasses import dataclass

from perun.core import gas
from perun.core.books import Books
from perun.core.nanocontracts.instances import decided_shift
from perun.core.nanocontracts.kinds import kind_of
from perun.core.rules.accounting import clamp_to_locks, free_money, gain, own_lock
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, Totals
from perun.core.states.content import agreed_content, agreed_version
from perun.types import Asset, ChannelId, Nano, UnixTime, Wei

__all__ = ["Claim", "claims"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One channel's part of what the chain owes us."""

    channel: ChannelId
    asset: Asset
    phase: Phase
    amount: Wei
    """What will come, counting every total and secret that both sides know."""
    until: UnixTime
    """When the last of it can be had, at the latest."""
    gas: int
    """What the transactions still needed will use."""


def claims(books: Books) -> tuple[Claim, ...]:
    """Every channel that still owes us something, the greatest first."""
    found = [_claim(books, view) for view in books.channels.values()]
    return tuple(
        sorted((claim for claim in found if claim.amount > 0), key=lambda claim: -claim.amount)
    )


def _claim(books: Books, view: ChannelView) -> Claim:
    net, nanos = _content(view, books.chain.head_time)
    holdings = (view.head.alice, view.head.bob)
    now = phase(view, books.chain)
    amount = 0
    if now is not Phase.ENDED and any(holdings):
        amount = free_money(holdings, net, nanos, view.role)
        for nano in nanos:
            shift = clamp_to_locks(nano, _shift(books, nano))
            amount += own_lock(nano, view.role) + gain(view.role, shift)
    return Claim(
        view.id,
        view.channel.asset,
        now,
        Wei(amount),
        _until(books, view, nanos),
        _gas(books, view, now, nanos),
    )


def _content(view: ChannelView, now: UnixTime) -> tuple[Wei, tuple[Nano, ...]]:
    """The state that counts: the registered one unless ours is newer and still in time."""
    net, nanos = agreed_content(view)
    dispute = view.head.dispute
    if dispute is None:
        return net, nanos
    if dispute.settling:
        return Wei(0), dispute.nanos
    ours = agreed_version(view)
    in_time = ours > dispute.version and now <= dispute.deadline
    return (net, nanos) if in_time else (dispute.net, dispute.nanos)


def _shift(books: Books, nano: Nano) -> Wei:
    """The shift that comes out if each side submits all that it holds."""
    instance = books.instances.get(nano.id)
    if instance is None:
        return Wei(0)
    decided = decided_shift(instance, instance.head, books.chain.head_time)
    if decided is not None:
        return decided
    terms, totals = instance.terms, books.totals.get(nano.id) or Totals(nano.id)
    return kind_of(terms).enforceable(terms, instance, totals, books.chain.head_time)


def _until(books: Books, view: ChannelView, nanos: tuple[Nano, ...]) -> UnixTime:
    dispute = view.head.dispute
    deadline = (
        books.chain.head_time + view.channel.challenge if dispute is None else dispute.deadline
    )
    return UnixTime(max([deadline, *(nano.expiry for nano in nanos)]))


def _gas(books: Books, view: ChannelView, now: Phase, nanos: tuple[Nano, ...]) -> int:
    if now is Phase.ENDED:
        return 0
    settle = gas.settle_gas(len(nanos))
    if now in (Phase.SETTLING, Phase.DECIDED):
        return settle
    held = sum(1 for nano in nanos if nano.id in books.instances and nano.id in books.totals)
    ours = agreed_version(view)
    dispute = view.head.dispute
    if dispute is not None and ours <= dispute.version:
        return settle + held * gas.SUBMIT_GAS
    return settle + gas.register_gas(len(nanos), held)
