"""Swaps across assets and chains by two hash locks (protocol, section 5, Swapping).

Two locks under one hash. The *holder* knows the secret; it pays the first lock and is paid by the
second one, which ends earlier. Nothing here is atomic but the secret itself: the holder may look at
the market until the second lock ends, the other side may not lock at all. What that is worth is
`look_worth`; cutting the amount into parts bounds it, and a premium within one part's worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import ClassVar, Final

from perun.core.limits import Limits
from perun.errors import Misuse
from perun.types import Lock, Record, Seconds, UnixTime, Wei

__all__ = ["Place", "SwapRejected", "check_swap", "gap", "look_worth", "parts", "times"]

_DAY: Final = 86_400
_MILLION: Final = 1_000_000


@dataclass(eq=False)
class SwapRejected(Misuse):
    """Two locks by which whoever pays second, or first, could lose what it locks."""

    why: str

    template: ClassVar[str] = "not swapped: {why}"
    hint: ClassVar[str] = "ask for locks with the times that `times` gives"


class Place(Record, frozen=True, gc=False):
    """A chain on which one of the locks is."""

    limits: Limits
    now: UnixTime
    """Time of its newest block, as we see it."""
    outage: Seconds = Seconds(0)
    """The longest that it may take no transaction; 0 on layer 1."""


# Rule swap-1.
def gap(first: Place, second: Place) -> Seconds:
    """By how much the first lock must outlive the second: who sees the secret in the second one's
    last second still has to bring it to the first one's chain."""
    margin = max(first.limits.margin, second.limits.margin)
    blind = first.limits.freshness + second.limits.freshness
    return Seconds(2 * margin + blind + first.outage)


def times(first: Place, second: Place) -> tuple[UnixTime, UnixTime]:
    """The earliest safe ends of both locks, if they are agreed on now.

    The second one leaves the holder three margins to see it final and to bring the secret, one of
    them for the time that it takes to agree.
    """
    until = UnixTime(
        second.now + 3 * second.limits.margin + second.limits.freshness + second.outage
    )
    return UnixTime(until + gap(first, second)), until


# Rules swap-1, swap-2.
def check_swap(first: Lock, second: Lock, places: tuple[Place, Place]) -> None:
    """Before either side locks: the order of ends keeps both from losing.

    Args:
        first: paid by the holder of the secret.
        second: paid to the holder.
        places: where they are.

    Raises:
        SwapRejected: not one secret, or times by which somebody could lose.
    """
    one, other = places
    if first.hash != second.hash:
        raise SwapRejected("the locks are not under one hash")
    if not first.amount or not second.amount:
        raise SwapRejected("one side gets nothing")
    if first.deadline < second.deadline + gap(one, other):
        missing = second.deadline + gap(one, other) - first.deadline
        raise SwapRejected(f"the holder's lock must end {missing} s later, or the other earlier")
    least = other.now + 2 * other.limits.margin + other.limits.freshness + other.outage
    if second.deadline < least:
        raise SwapRejected(f"the lock that pays the holder ends {least - second.deadline} s early")


# Rule swap-3.
def look_worth(amount: Wei, daily_ppm: int, seconds: int) -> Wei:
    """What the right to decide for so long is worth: 0.4 · σ · √t of the amount, rounded up.

    An option at today's price is worth about √(t / 2π) · σ (Brenner and Subrahmanyam, 1988).

    Args:
        daily_ppm: σ: by how many millionths the price moves in a day, one standard deviation.
    """
    if amount < 0 or daily_ppm < 0 or seconds < 0:
        raise SwapRejected("an amount, a deviation or a time is negative")
    # √t in millionths of the root of a day; isqrt rounds down, so one is added.
    root = isqrt(seconds * _MILLION * _MILLION // _DAY) + 1 if seconds else 0
    return Wei(-(-4 * amount * daily_ppm * root // (10 * _MILLION * _MILLION)))


# Rule swap-4.
def parts(amount: Wei, most: Wei) -> tuple[Wei, ...]:
    """An amount cut into parts of at most so much, as equal as can be: one of them at risk."""
    if most <= 0 or amount <= 0:
        raise SwapRejected("nothing can be cut into parts of nothing")
    count = -(-amount // most)
    small, rest = divmod(amount, count)
    return tuple(Wei(small + (index < rest)) for index in range(count))
