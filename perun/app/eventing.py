"""Events: numbered, stored with the turn that they belong to, sent to whoever subscribes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from perun.app import values as v
from perun.app.errors import BadParams, Gone, NoSuch
from perun.app.methods import GetEvents, Subscribe
from perun.app.rows import Event, Income, Payment
from perun.app.settings import Settings
from perun.app.shelf import Shelf
from perun.app.show import show_income, show_payment
from perun.app.texts import hexed
from perun.app.work import Ask, Reply, Work
from perun.encoding.records import RowCodec
from perun.types import UnixTime

__all__ = ["Subscriptions", "events", "show_event"]

_AT_ONCE: Final = 1_000
"""Events forgotten in one turn, or read at once."""

_MOST_BEHIND: Final = 100_000
"""Events sent at the beginning of a subscription; whoever is further behind asks for them."""


_PAYMENTS: Final = RowCodec(Payment)
_INCOMES: Final = RowCodec(Income)


def show_event(work: Work, row: Event) -> v.Event:
    """An event, as the interface shows it."""
    data = _data(work, row)
    return v.Event(number=row.number, time=row.at, kind=row.kind, about=hexed(row.about), data=data)


def _data(work: Work, row: Event) -> dict[str, Any]:
    if row.data.startswith(b"{"):
        data: dict[str, Any] = msgspec.json.decode(row.data)
    elif row.kind == "payment":
        data = msgspec.to_builtins(show_payment(work, _PAYMENTS.decode(row.data)))
    else:
        data = msgspec.to_builtins(show_income(work, _INCOMES.decode(row.data)))
    return data


def events(work: Work, params: GetEvents) -> tuple[v.Event, ...]:
    """Those after a number.

    Raises:
        Gone: they are not kept any more.
    """
    return tuple(show_event(work, row) for row in _after(work, params.since, params.limit))


@dataclass(frozen=True, slots=True)
class _Waiting:
    params: GetEvents
    reply: Reply
    until: UnixTime


def _after(work: Work, since: int, limit: int) -> list[Event]:
    shelf = work.shelf
    if since + 1 < shelf.first_event and shelf.first_event > 1:
        raise Gone(since, shelf.first_event, shelf.next_event - 1)
    kept = shelf.events
    if kept and kept[0].number <= since + 1:
        return [row for row in kept if row.number > since][:limit]
    stored = work.desk.numbered(Event, since, limit)
    # What this turn has brought is not stored yet, and in memory.
    last = stored[-1].number if stored else since
    return (stored + [row for row in kept if row.number > last])[:limit]


@dataclass(slots=True)
class _Subscription:
    push: Callable[[list[v.Event]], None]
    kinds: frozenset[str]
    last: int
    """Number of the newest event that was sent, or passed over."""


class Subscriptions:
    """Who is to be told."""

    def __init__(self) -> None:
        self._all: dict[str, _Subscription] = {}
        self._numbers = itertools.count(1)
        self._waiting: list[_Waiting] = []
        self._pruned = UnixTime(0)

    def __len__(self) -> int:
        return len(self._all) + len(self._waiting)

    def ask(self, work: Work, params: GetEvents, reply: Reply) -> None:
        """Answers with the events after a number: with the first that comes, if there are none, or
        with none after a while. Raises `Gone`."""
        found = events(work, params)
        if found or not params.wait:
            work.desk.after(lambda: reply(found))
        else:
            self._waiting.append(_Waiting(params, reply, UnixTime(work.now + params.wait)))

    def tick(self, work: Work) -> None:
        """Answers those who have waited long enough."""
        over = [one for one in self._waiting if work.now >= one.until]
        self._waiting = [one for one in self._waiting if work.now < one.until]
        for one in over:
            work.desk.after(lambda one=one: one.reply(()))  # type: ignore[misc]

    def add(self, work: Work, ask: Ask, params: Subscribe) -> None:
        """Tells from now on, after what was asked for of the past."""
        if ask.push is None:
            raise BadParams("events are sent over a WebSocket only; else ask for `events`")
        newest = work.shelf.next_event - 1
        since = newest if params.since is None else min(params.since, newest)
        if newest - since > _MOST_BEHIND:
            raise BadParams(f"{newest - since} events behind: fetch them by `events` first")
        past = _after(work, since, _MOST_BEHIND) if since < newest else []
        name = str(next(self._numbers))
        one = _Subscription(ask.push, frozenset(params.kinds), newest)
        self._all[name] = one
        answer = v.Subscribed(subscription=name, event=since)

        def begin() -> None:
            ask.reply(answer)
            _send(work, one, past)

        work.desk.after(begin)

    def remove(self, name: str) -> None:
        """Raises `NoSuch`."""
        if self._all.pop(name, None) is None:
            raise NoSuch("subscription", name)

    def publish(self, work: Work) -> None:
        """Sends what this turn has brought, once it is on disk."""
        shelf = work.shelf
        newest = shelf.next_event - 1
        early = self._waiting
        self._waiting = [one for one in early if one.params.since >= newest]
        for waiting in early:
            if waiting.params.since < newest:
                self.ask(work, waiting.params, waiting.reply)
        for one in self._all.values():
            if one.last < newest:
                fresh = [row for row in _tail(shelf, newest - one.last) if row.number > one.last]
                one.last = newest
                work.desk.after(lambda one=one, fresh=fresh: _send(work, one, fresh))  # type: ignore[misc]

    def overflows(self, shelf: Shelf, settings: Settings) -> bool:
        """Whether events come faster than blocks forget them."""
        return _surplus(shelf, settings) >= _AT_ONCE

    def prune(self, work: Work) -> None:
        """Forgets what is too old, or too much, a piece at a time."""
        shelf, settings = work.shelf, work.settings
        too_many = _surplus(shelf, settings)
        early = work.now < self._pruned + 60 and too_many < _AT_ONCE
        if early or shelf.first_event >= shelf.next_event:
            return
        self._pruned = work.now
        oldest = work.desk.numbered(Event, shelf.first_event - 1, _AT_ONCE)
        for place, row in enumerate(oldest):
            if place >= too_many and row.at > work.date - settings.keep:
                break
            if row.number == shelf.next_event - 1:
                # The newest stays: it says where numbers go on.
                break
            work.desk.drop(row)
            shelf.first_event = row.number + 1


def _surplus(shelf: Shelf, settings: Settings) -> int:
    return shelf.next_event - shelf.first_event - settings.most_events


def _tail(shelf: Shelf, count: int) -> list[Event]:
    return list(itertools.islice(reversed(shelf.events), count))[::-1]


def _send(work: Work, one: _Subscription, rows: list[Event]) -> None:
    wanted = [show_event(work, row) for row in rows if not one.kinds or row.kind in one.kinds]
    if wanted:
        one.push(wanted)
