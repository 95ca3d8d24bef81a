"""What the story tells while it happens; the command line makes pictures of it."""

from __future__ import annotations

from collections.abc import Callable

from perun.types import Record, UnixTime

__all__ = ["Act", "Note", "Progress", "Tell", "Told"]


class Act(Record, frozen=True, gc=False):
    """A new chapter."""

    number: int
    title: str


class Note(Record, frozen=True, gc=False):
    """Something has happened."""

    time: UnixTime
    """Of the newest block."""
    block: int
    who: str
    text: str


class Progress(Record, frozen=True, gc=False):
    """Payments, so far and in all."""

    done: int
    total: int
    what: str


Told = Act | Note | Progress
Tell = Callable[[Told], None]
