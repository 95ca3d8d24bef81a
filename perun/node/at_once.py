"""One telling for two hosts: what waits in a page's event loop runs in a daemon's thread, too.

A client of a tower or a place is written with `await`. In a page what it asks really waits; in a
thread of its own each question blocks and is answered at once, so the work never stops on its way.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import msgspec

from perun.errors import BrokenInvariant

__all__ = ["Asker", "finish"]

T = TypeVar("T")
A = TypeVar("A", bound=msgspec.Struct)


class Asker(Protocol):
    """Asks hosts that may be hostile, with bounds on time and size."""

    async def ask(
        self, url: str, question: msgspec.Struct, kind: type[A], *, seconds: float, most: int
    ) -> A:
        """Posts a question in MessagePack; what is answered to it. Raises `ChainFault`."""

    def close(self) -> None:
        """Asks no more."""


def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of work whose every question blocks."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise BrokenInvariant("it waits for an event loop, and there is none")
