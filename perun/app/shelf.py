"""The rows of the program above, in memory, with the indexes that its questions need.

Of payments, incomes and events, which are many, only what is open or new is kept; the rest is read
from the store by its number.
"""

from __future__ import annotations

from collections import deque
from typing import Final, TypeVar

from perun.app.indexes import RECENT, Many, Reader, Segments, Spent, read_all
from perun.app.rows import (
    Contact,
    Errand,
    Event,
    Flow,
    Income,
    Opening,
    OwnRequest,
    Payment,
    SpokenFor,
    Step,
    WaitingNote,
)
from perun.core.state import PeerId
from perun.encoding.records import Extra
from perun.types import ETH, Asset, InstanceId, Wei

__all__ = ["Shelf"]

_SEARCHING: Final = frozenset({Step.FINDING, Step.OPENING})
_FIXED: Final = frozenset({Step.SIGNED, Step.DELIVERED})
_OPEN: Final = _SEARCHING | _FIXED


class Shelf:
    """Everything remembered."""

    def __init__(self) -> None:
        self.payments: Many[Payment] = Many(Payment)
        self.incomes: Many[Income] = Many(Income)
        self.events: deque[Event] = deque(maxlen=RECENT)
        self.next_event = 1
        self.first_event = 1
        self.requests: dict[bytes, OwnRequest] = {}
        self.request_keys: dict[str, bytes] = {}
        self.contacts: dict[str, Contact] = {}
        self.names: dict[PeerId, Contact] = {}
        self.openings: dict[tuple[PeerId, Asset], Opening] = {}
        self.errands: dict[int, Errand] = {}
        self.errand_keys: dict[str, int] = {}
        self.next_errand = 1
        self.flows: dict[bytes, Flow] = {}
        self.waiting: dict[InstanceId, dict[Wei, WaitingNote]] = {}
        self.by_key: dict[str, int] = {}
        self.by_id: dict[bytes, int] = {}
        self.by_request: dict[tuple[PeerId, bytes], int] = {}
        """The newest payment for a request."""
        self.in_machine: dict[InstanceId, dict[Wei, int]] = {}
        """Payments whose segment is fixed and that are not done: numbers by `last`, rising."""
        self.undelivered: dict[InstanceId, dict[Wei, int]] = {}
        """Those among them of which the payee has not said that it has the money."""
        self.refused: dict[InstanceId, int] = {}
        """Machines in which one did not count, and how often it is shown again soon."""
        self.unanswered: dict[InstanceId, int] = {}
        """Machines whose money arrived before its notes were answered, and how often those are
        said again soon."""
        self.to_find: dict[tuple[PeerId, Asset], dict[int, None]] = {}
        """Payments that look for a way."""
        self.by_segment: dict[InstanceId, dict[Wei, int]] = {}
        """Incomes of machines that are not forgotten, by `last`."""
        self.plain_incomes: dict[PeerId, deque[int]] = {}
        """By payer: those of no request, oldest first."""
        self.spoken: dict[InstanceId, SpokenFor] = {}
        self.segments: dict[InstanceId, Segments] = {}
        self.incomes_by_id: dict[tuple[PeerId, bytes], int] = {}
        self.given_back: dict[tuple[PeerId, bytes], Wei] = {}
        """By payer and its payment: what we refund, or have refunded."""
        self.got_back: dict[tuple[PeerId, bytes], Wei] = {}
        """By payee and our payment: what it has refunded."""
        self.spent: dict[tuple[str, Asset], Spent] = {}
        self.machines: dict[PeerId, dict[InstanceId, None]] = {}
        """Machines that a state of ours lists, or has listed, by their other end."""

    def begin(self, reader: Reader) -> None:
        """Reads what is kept by number, once, in pieces."""
        for payment in read_all(reader, Payment):
            self.put(payment)
        for index in (self.in_machine, self.undelivered):
            for machine, fixed in index.items():
                index[machine] = dict(sorted(fixed.items()))
        for income in read_all(reader, Income):
            self.put(income)
        self.first_event, greatest = reader.bounds(Event)
        self.next_event = greatest + 1
        self.events.extend(reader.numbered(Event, max(0, greatest - RECENT), RECENT))

    # --------------------------------------------------------------------------------------- rows

    def put(self, row: Extra) -> None:
        """Takes a row over, from a turn or from the store."""
        # The frequent ones first, by their very types.
        kind = type(row)
        if kind is Payment:
            self._put_payment(row)  # type: ignore[arg-type]
        elif kind is Income:
            self._put_income(row)  # type: ignore[arg-type]
        elif kind is Event:
            self.events.append(row)  # type: ignore[arg-type]
            self.next_event = row.number + 1  # type: ignore[attr-defined]
        elif isinstance(row, WaitingNote):
            self._segments(row.machine).take(row.first, row.last)
            self.waiting.setdefault(row.machine, {})[row.last] = row
        elif isinstance(row, SpokenFor):
            self.spoken[row.machine] = row
        elif isinstance(row, OwnRequest):
            self.requests[row.id] = row
            if row.key:
                self.request_keys[row.key] = row.id
        elif isinstance(row, Contact):
            self.contacts[row.name] = row
            self.names[row.peer] = row
        elif isinstance(row, Opening):
            self.openings[row.payee, row.asset] = row
        elif isinstance(row, Errand):
            self._put_errand(row)
        elif isinstance(row, Flow):
            self.flows[row.id] = row

    def drop(self, row: Extra) -> None:
        """Forgets a row."""
        if isinstance(row, Contact):
            self.contacts.pop(row.name, None)
            if self.names.get(row.peer) == row:
                del self.names[row.peer]
        elif isinstance(row, Opening):
            self.openings.pop((row.payee, row.asset), None)
        elif isinstance(row, WaitingNote):
            notes = self.waiting.get(row.machine, {})
            notes.pop(row.last, None)
            if not notes:
                self.waiting.pop(row.machine, None)
        elif isinstance(row, Income):
            self._drop_income(row)
        elif isinstance(row, SpokenFor):
            self.spoken.pop(row.machine, None)
        elif isinstance(row, OwnRequest):
            self.requests.pop(row.id, None)
            self.request_keys.pop(row.key, None)
        elif isinstance(row, Errand):
            self.errands.pop(row.number, None)
            self.errand_keys.pop(row.key, None)
        elif isinstance(row, Flow):
            self.flows.pop(row.id, None)

    def _put_payment(self, row: Payment) -> None:
        step, number = row.step, row.number
        known = self.payments.kept(number)
        before = None if known is None else known.step
        self.payments.put(row, step in _OPEN)
        if (step in _SEARCHING) != (before in _SEARCHING):
            _keep(self.to_find, (row.payee, row.asset), number, step in _SEARCHING)
        if (step in _FIXED) != (before in _FIXED):
            _keep_last(self.in_machine, row, step in _FIXED)
        if (step is Step.SIGNED) != (before is Step.SIGNED):
            _keep_last(self.undelivered, row, step is Step.SIGNED)
        if before is None:
            self.by_key[row.key] = self.by_id[row.id] = number
            if row.request:
                self.by_request[row.payee, row.request] = number
        counts = step is not Step.FAILED
        if counts != (before is not None and before is not Step.FAILED):
            self._count(row, 1 if counts else -1)

    def _count(self, row: Payment, sign: int) -> None:
        if row.refunds:
            place = (row.payee, row.refunds)
            self.given_back[place] = Wei(self.given_back.get(place, 0) + sign * row.amount)
        if row.token:
            self.spent_by(row.token, row.asset).add(row.created, sign * row.amount)

    def _put_income(self, row: Income) -> None:
        in_machine = self.by_segment.setdefault(row.machine, {})
        self.incomes.put(row, is_open=False)
        if row.last in in_machine:
            return
        segments, notes = self._segments(row.machine), self.waiting.get(row.machine, {})
        if row.last not in notes:
            # Else the waiting note has taken it already.
            segments.take(row.first, row.last)
        in_machine[row.last] = row.number
        if not row.request:
            self.plain_incomes.setdefault(row.payer, deque()).append(row.number)
        self.incomes_by_id.setdefault((row.payer, row.id), row.number)
        if row.refunds in self.by_id:
            place = (row.payer, row.refunds)
            self.got_back[place] = Wei(self.got_back.get(place, 0) + row.last - row.first)

    def _drop_income(self, row: Income) -> None:
        """Its machine, and what it gave back, stay counted."""
        self.incomes.drop(row.number)
        self.by_segment.get(row.machine, {}).pop(row.last, None)
        if self.incomes_by_id.get((row.payer, row.id)) == row.number:
            del self.incomes_by_id[row.payer, row.id]
        numbers = self.plain_incomes.get(row.payer)
        if numbers and numbers[0] == row.number:
            numbers.popleft()

    def _put_errand(self, row: Errand) -> None:
        is_new = row.number not in self.errands
        self.errands[row.number] = row
        self.next_errand = max(self.next_errand, row.number + 1)
        if not is_new:
            return
        if row.key:
            self.errand_keys[row.key] = row.number
        if row.token:
            self.spent_by(row.token, row.asset).add(row.at, row.spent)
            self.spent_by(row.token, ETH).add(row.at, row.gas_spent)

    def _segments(self, machine: InstanceId) -> Segments:
        return self.segments.setdefault(machine, Segments())

    # ------------------------------------------------------------------------------------ questions

    def spent_by(self, token: str, asset: Asset) -> Spent:
        """What a token has spent."""
        return self.spent.setdefault((token, asset), Spent())

    def forget_machine(self, machine: InstanceId) -> None:
        """The core has forgotten it: no note of it can come any more."""
        self.segments.pop(machine, None)
        self.by_segment.pop(machine, None)
        for peer in [peer for peer, known in self.machines.items() if machine in known]:
            del self.machines[peer][machine]
            if not self.machines[peer]:
                del self.machines[peer]


K = TypeVar("K")


def _keep(index: dict[K, dict[int, None]], key: K, number: int, there: bool) -> None:
    """Puts a number into an index, or takes it out."""
    if there:
        index.setdefault(key, {})[number] = None
        return
    numbers = index.get(key)
    if numbers is not None:
        numbers.pop(number, None)
        if not numbers:
            del index[key]


def _keep_last(index: dict[InstanceId, dict[Wei, int]], row: Payment, there: bool) -> None:
    """The same for segments. They are fixed in rising order, so that a dict has them sorted."""
    if there:
        index.setdefault(row.machine, {})[row.last] = row.number
        return
    fixed = index.get(row.machine)
    if fixed is not None:
        fixed.pop(row.last, None)
        if not fixed:
            del index[row.machine]
