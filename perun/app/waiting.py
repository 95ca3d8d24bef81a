"""Callers that wait for a payment to end, each for as long as it said."""

from __future__ import annotations

from typing import Final

from perun.app.rows import Payment, Step
from perun.app.show import show_payment
from perun.app.work import Reply, Work
from perun.types import UnixTime

__all__ = ["Waiting"]

_FINAL: Final = (Step.DONE, Step.FAILED)

_A_MOMENT: Final = 10
"""Seconds that a caller waits for the note's answer when the money has arrived, while a lost note
is said again: payees that do not run this program never give one."""


class Waiting:
    """Forgotten with the process: whoever asks again with the same key waits again."""

    def __init__(self) -> None:
        self._replies: dict[int, list[tuple[UnixTime, Reply]]] = {}

    def add(self, work: Work, row: Payment, seconds: int, reply: Reply) -> None:
        """Answers at the end of a payment, or in so many seconds with how far it is."""
        if row.step in _FINAL or not seconds:
            _tell(work, row.number, reply)
            return
        self._replies.setdefault(row.number, []).append((UnixTime(work.now + seconds), reply))

    def changed(self, work: Work, row: Payment) -> None:
        """Answers whoever waits for a payment that is over; those of a delivered one soon."""
        if row.step in _FINAL:
            for _, reply in self._replies.pop(row.number, ()):
                work.desk.after(lambda reply=reply: reply(show_payment(work, row)))  # type: ignore[misc]
        elif row.step is Step.DELIVERED and row.number in self._replies:
            soon = UnixTime(work.now + _A_MOMENT)
            waiting = self._replies[row.number]
            self._replies[row.number] = [(min(until, soon), reply) for until, reply in waiting]

    def tick(self, work: Work) -> None:
        """Answers those who have waited long enough."""
        for number, waiting in list(self._replies.items()):
            left = []
            for deadline, reply in waiting:
                if work.now < deadline:
                    left.append((deadline, reply))
                else:
                    _tell(work, number, reply)
            if left:
                self._replies[number] = left
            else:
                del self._replies[number]


def _tell(work: Work, number: int, reply: Reply) -> None:
    """With the payment as it is once this turn is on disk."""

    def tell() -> None:
        row = work.shelf.payments.get(number, work.desk)
        assert row is not None
        reply(show_payment(work, row))

    work.desk.after(tell)
