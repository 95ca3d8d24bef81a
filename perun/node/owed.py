"""What a channel will pay us in the end, if nobody signs anything more, and by when."""

from __future__ import annotations

from dataclasses import dataclass

from perun.core import gas
from perun.core.books import Books
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView
from perun.core.states.content import agreed_version
from perun.core.states.valuation import alone, counting
from perun.types import Asset, ChannelId, Nano, UnixTime, Wei

__all__ = ["Owed", "owed_by"]


@dataclass(frozen=True, slots=True)
class Owed:
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


def owed_by(books: Books) -> tuple[Owed, ...]:
    """Every channel that still owes us something, the greatest first."""
    found = [_owed(books, view) for view in books.channels.values()]
    return tuple(sorted((one for one in found if one.amount > 0), key=lambda one: -one.amount))


def _owed(books: Books, view: ChannelView) -> Owed:
    _, nanos = counting(view, books.chain.head_time)
    now = phase(view, books.chain)
    return Owed(
        view.id,
        view.channel.asset,
        now,
        alone(books, view),
        _until(books, view, nanos),
        _gas(books, view, now, nanos),
    )


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
