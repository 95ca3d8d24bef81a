"""Deals, streams and bets, told again from the specification: what their evidence comes to."""

from __future__ import annotations

from typing import TypeGuard

from perun.types import Bet, BetRecord, Deal, DealRecord, Record, Stream, StreamRecord

__all__ = ["Shared", "is_shared", "locks", "moved", "outcome"]

Shared = Deal | Stream | Bet


def is_shared(terms: object) -> TypeGuard[Shared]:
    """Whether these terms are of a kind that is told here."""
    return isinstance(terms, Deal | Stream | Bet)


def locks(terms: Shared) -> tuple[int, int]:
    """What the instance's Alice and Bob may lose."""
    if isinstance(terms, Stream):
        return (0, terms.lock) if terms.bob_pays else (terms.lock, 0)
    return terms.alice_lock, terms.bob_lock


def moved(bet: Bet, price: int) -> int:
    """What Alice pays Bob at a price: towards zero, and no more than a lock."""
    apart = (price - bet.strike) * bet.slope
    whole = abs(apart) // bet.scale * (1 if apart > 0 else -1)
    return min(bet.alice_lock, max(-bet.bob_lock, whole))


def outcome(terms: Shared, on: Record | None, time: int) -> int | None:
    """What Alice pays Bob by the record; None: it may still come to something else."""
    if on is None:
        return 0 if time > terms.validity else None
    assert isinstance(on, DealRecord | StreamRecord | BetRecord)
    if time <= on.deadline:
        return None
    if not isinstance(on, StreamRecord):
        return on.shift
    assert isinstance(terms, Stream)
    return -on.total if terms.bob_pays else on.total
