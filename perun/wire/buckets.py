"""A token bucket: so much a second, and so much at once after a rest."""

from __future__ import annotations

__all__ = ["Bucket"]


class Bucket:
    """Fills with time, up to `burst`; time is an argument, seconds that never go back."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float | None = None, now: float = 0.0) -> None:
        """Full; `burst` is a second's worth unless it is given."""
        self._rate = rate
        self._burst = rate if burst is None else burst
        self._left = self._burst
        self._at = now

    def take(self, amount: float, now: float) -> bool:
        """Takes `amount` if there is so much."""
        self._fill(now)
        if self._left < amount:
            return False
        self._left -= amount
        return True

    def owe(self, amount: float, now: float) -> float:
        """Takes `amount` in any case: seconds until the bucket is not in debt."""
        self._fill(now)
        self._left -= amount
        return max(0.0, -self._left / self._rate)

    def is_full(self, now: float) -> bool:
        """Whether forgetting it would change nothing."""
        self._fill(now)
        return self._left >= self._burst

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
            self._at = now
