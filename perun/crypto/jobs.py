"""A long call, which other threads may make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

__all__ = ["Job"]

T = TypeVar("T")


class Job(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A long call of a library, and what makes a result of the code it returns."""

    call: Callable[[], int]
    """May be made in any thread; does not raise."""
    finish: Callable[[int], T]

    def done(self) -> T:
        """Does it here and now."""
        return self.finish(self.call())
