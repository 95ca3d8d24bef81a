"""Flips and hands, told again from the specification: what two secrets, or silence, come to."""

from __future__ import annotations

from perun.types import Flip, FlipRecord, Hands

__all__ = ["Lucky", "outcome", "result"]

Lucky = Flip | Hands


def result(flip: Lucky, alice: bytes, bob: bytes) -> int:
    """What Alice pays Bob by their secrets."""
    if isinstance(flip, Hands):
        # Paper beats rock, scissors beat paper, rock beats scissors: the next one beats each.
        return (0, -flip.bob_lock, flip.alice_lock)[(alice[31] - bob[31]) % 3]
    drawn = int.from_bytes(alice[30:32], "big") + int.from_bytes(bob[30:32], "big")
    return flip.alice_lock if drawn % 65_536 < flip.odds else -flip.bob_lock


def outcome(flip: Lucky, on: FlipRecord | None, time: int) -> int | None:
    """What Alice pays Bob by the record; None: it may still come to something else."""
    if on is None:
        return 0 if time > flip.validity else None
    if on.alice and on.bob:
        return result(flip, on.alice, on.bob)
    if time <= on.deadline:
        return None
    return -flip.bob_lock if on.alice else flip.alice_lock
