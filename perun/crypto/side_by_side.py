"""Two threads for many signatures: libsecp256k1 works without the interpreter's lock.

One thread more than the caller's is of use on two cores; the tasks must be little besides the
library's call, or the threads wait for each other's Python.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["each"]

T = TypeVar("T")

_LEAST = 8
"""Tasks for which waking another thread, some 50 µs, is worth it."""

# One thread for the whole process; it starts with the first tasks.
_helper = ThreadPoolExecutor(1, "perun-signatures")


def each(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """The results of all tasks, in their order. A task must not raise."""
    if len(tasks) < _LEAST:
        return [task() for task in tasks]
    left = deque(enumerate(tasks))
    found: dict[int, T] = {}
    help = _helper.submit(_work, left, found)
    _work(left, found)
    # If the helper was busy for somebody else it has not begun, and nothing is left to do.
    if not help.cancel():
        help.result()
    return [found[index] for index in range(len(tasks))]


def _work(left: deque[tuple[int, Callable[[], T]]], found: dict[int, T]) -> None:
    """Takes tasks until there are none; several threads may do so at once."""
    while True:
        try:
            index, task = left.popleft()
        except IndexError:
            return
        found[index] = task()
