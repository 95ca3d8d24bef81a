"""Wishes of our own user that come together and can be carried out as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

from perun.core.books import Books
from perun.core.nanocontracts.kinds import KINDS
from perun.types import InstanceId

__all__ = ["joined"]

T = TypeVar("T")

# Any: of a command only its kind knows what is in it.
_JOINS: Final[dict[type, Callable[[Books, Sequence[Any]], Sequence[Any]]]] = {
    command: join for kind in KINDS.values() for command, join in kind.joins.items()
}


def joined(books: Books, inputs: Sequence[T]) -> Iterator[T]:
    """What has come, in order, but for wishes of a run that its kind makes one of.

    Args:
        books: looked at when a run begins, so all that came before it has been taken.
    """
    for kind, run in groupby(inputs, type):
        join = _JOINS.get(kind)
        if join is None:
            yield from run
            continue
        wishes: dict[InstanceId, list[Any]] = {}
        command: Any
        for command in run:
            wishes.setdefault(command.instance, []).append(command)
        for each in wishes.values():
            yield from join(books, each)
