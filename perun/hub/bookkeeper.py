"""Every change of a hub's money in its channels, one row each, written with the turn it belongs to.

What the chain shows (deposits, draws, payouts, credit) is not kept twice: the chain is asked. Here
is what only the hub knows: for what its peers have paid it. For each channel the rows add up to
what its newest state moves; those of kind *crossing* add up to 0 wherever both ends have closed.

A state may move a single wei and cost its peer nothing. So of one kind in one channel only the
newest rows are kept apart; those before them are one row, with their sum.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar, Final, TextIO

from msgspec.structs import replace

from perun.chain.reports import Paid
from perun.core.books import Books
from perun.core.notices import InstanceAdded, InstanceRemoved, Notice, TransferDone
from perun.core.rules.accounting import gain, swap
from perun.core.state import ChannelView
from perun.encoding.records import NumberedExtra
from perun.node.guest import Desk
from perun.types import ETH, Address, ChannelId, InstanceId, UnixTime, Wei

__all__ = ["CROSSING", "GIFT", "Entry", "Bookkeeper", "earned", "write_csv"]

OPENING: Final = "opening fee"
INSTANCE: Final = "instance fee"
TRANSFER: Final = "transfer"
CROSSING: Final = "crossing"
OWN: Final = "machine"
GIFT: Final = "gift"

_PIECE: Final = 10_000
_APART: Final = 32
"""Rows of a kind in a channel; then all but the newer half become one."""
_FOLDED: Final = frozenset({INSTANCE, TRANSFER, CROSSING, OWN})
_NONE: Final = InstanceId(b"")
_FIRST: Final = 2
"""Version of the first state, which carries the opening fee."""


class Entry(NumberedExtra, frozen=True, array_like=True):
    """What one state has moved to us, or from us if negative."""

    table: ClassVar[str] = "hub_ledger"
    at: UnixTime
    kind: str
    asset: Address
    amount: Wei
    channel: ChannelId
    instance: InstanceId = _NONE


class Bookkeeper:
    """Writes the rows; in the node's thread."""

    def __init__(self) -> None:
        self._next = 0
        self._apart: dict[tuple[ChannelId, str], list[tuple[int, int]]] = {}
        """Number and amount of each row of a kind in a channel, oldest first."""
        self.earned = 0
        """Fees, in ETH's smallest unit; for metrics. An audit leaves out what was never funded."""

    def begin(self, desk: Desk) -> None:
        """Reads what was earned before."""
        after = self.earned = 0
        self._apart.clear()
        while rows := desk.numbered(Entry, after, _PIECE):
            self.earned += sum(row.amount for row in rows if _is_fee(row))
            for row in rows:
                if row.kind in _FOLDED:
                    self._rows_of(row).append((row.number, row.amount))
            after = rows[-1].number
        self._next = after + 1

    def noticed(self, desk: Desk, notice: Notice) -> None:
        """What the core tells, in the turn in which it has become true."""
        books = desk.books
        if isinstance(notice, TransferDone):
            view = books.channels[notice.channel]
            first = notice.version == _FIRST and view.funding.drawn
            self._put(desk, view, OPENING if first else TRANSFER, notice.amount)
        elif isinstance(notice, InstanceAdded):
            crossing = books.hub_instances.get(notice.instance)
            if crossing is not None:
                view = books.channels[notice.channel]
                into = crossing.alice_channel == notice.channel
                # Over several hubs a part of it goes to those after us.
                fee = crossing.fee if into else Wei(-(crossing.passed or 0))
                self._put(desk, view, INSTANCE, fee, notice.instance)
        elif isinstance(notice, InstanceRemoved):
            self._removed(desk, notice)

    def give(self, desk: Desk, amount: Wei) -> None:
        """The faucet has given something."""
        if amount:
            self._write(desk, GIFT, ETH, Wei(-amount), ChannelId(b""), _NONE)

    def _removed(self, desk: Desk, notice: InstanceRemoved) -> None:
        view, instance = desk.books.channels[notice.channel], desk.books.instances[notice.instance]
        swapped = next(leg.swapped for leg in instance.legs if leg.channel == view.id)
        amount = gain(view.role, swap(notice.shift, swapped))
        kind = CROSSING if instance.role is None else OWN
        self._put(desk, view, kind, Wei(amount), notice.instance)

    def _put(
        self,
        desk: Desk,
        view: ChannelView,
        kind: str,
        amount: Wei,
        instance: InstanceId = _NONE,
    ) -> None:
        if amount:
            self._write(desk, kind, view.channel.asset, amount, view.id, instance)

    def _write(
        self,
        desk: Desk,
        kind: str,
        asset: Address,
        amount: Wei,
        channel: ChannelId,
        instance: InstanceId,
    ) -> None:
        if not self._next:
            self.begin(desk)
        at = desk.books.chain.wall
        row = Entry(self._next, at, kind, asset, amount, channel, instance)
        desk.put(row)
        self._next += 1
        self.earned += row.amount if _is_fee(row) else 0
        if kind in _FOLDED:
            self._rows_of(row).append((row.number, row.amount))
            self._fold(desk, row)

    def _rows_of(self, row: Entry) -> list[tuple[int, int]]:
        return self._apart.setdefault((row.channel, row.kind), [])

    def _fold(self, desk: Desk, newest: Entry) -> None:
        """Makes one row of the older ones, under the number of the last of them."""
        rows = self._rows_of(newest)
        if len(rows) <= _APART:
            return
        old, rows[:] = rows[: -_APART // 2], rows[-_APART // 2 :]
        last, total = old[-1][0], sum(amount for _, amount in old)
        for number, _ in old[:-1]:
            desk.drop(replace(newest, number=number))
        desk.put(replace(newest, number=last, amount=Wei(total), instance=_NONE))
        rows.insert(0, (last, total))


def earned(books: Books, entries: Iterable[Entry]) -> Wei:
    """Fees that are ours: those of channels that were funded."""
    return Wei(
        sum(
            entry.amount
            for entry in entries
            if entry.kind in (OPENING, INSTANCE) and _is_funded(books, entry.channel)
        )
    )


def _is_fee(row: Entry) -> bool:
    return row.asset == ETH and row.kind in (OPENING, INSTANCE)


def _is_funded(books: Books, channel: ChannelId) -> bool:
    view = books.channels.get(channel)
    return view is not None and bool(view.final.alice or view.final.bob or view.final.ended)


def write_csv(to: TextIO, entries: Iterable[Entry], spent: Iterable[Paid]) -> None:
    """Everything as a table: what came in by states, then what gas has cost."""
    table = csv.writer(to)
    table.writerow(("time", "block", "kind", "asset", "amount", "channel", "instance", "hash"))
    for entry in entries:
        when = datetime.fromtimestamp(entry.at, UTC).isoformat()
        ids = ("0x" + entry.channel.hex(), "0x" + entry.instance.hex() if entry.instance else "")
        asset = "0x" + entry.asset.hex()
        table.writerow((when, "", entry.kind, asset, entry.amount, *ids, ""))
    for paid in spent:
        kind = f"gas {paid.kind}" + ("" if paid.succeeded else " (reverted)")
        hash = "0x" + paid.hash.hex()
        table.writerow(("", paid.block, kind, "0x" + 40 * "0", -paid.paid, "", "", hash))
