"""What a turn has come to so far: rows, effects, and signatures that are asked for but not made.

Signatures of a batch are made together, so inputs are taken while others wait to be signed. What
was asked for counts as signed already (protocol, section 5, What it signs), so payments never wait
for each other; any other input waits for what was asked for in its channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from perun.core.books import Row, Step, row_key
from perun.core.chain_view import ChainView
from perun.core.effects import Effect, Sign
from perun.core.inputs import CommandPay, Input, Received
from perun.core.state import Totals
from perun.encoding.messages import NotPaid, Paid
from perun.encoding.records import Extra
from perun.types import ChannelId, InstanceId

__all__ = ["Turn"]

_WORDS: Final = frozenset({Paid, NotPaid})
"""What a peer says of our payments: the core only passes it on."""


class Turn:
    """Of one node, from its inputs to its transaction."""

    __slots__ = ("_asked", "_busy", "_paying", "_unknown", "drops", "effects", "rows", "signings")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.drops: dict[tuple[type, bytes], Row] = {}
        """Rows to forget, by what they are found by: what is written again is not."""
        self.effects: list[Effect] = []
        self.signings: list[Sign] = []
        self._asked: dict[InstanceId, int] = {}
        """Where the rows have a machine's payment that is not signed yet; of several, the last."""
        self._paying: set[ChannelId] = set()
        """Channels of payments that wait to be signed …"""
        self._busy: set[ChannelId] = set()
        """… and of everything else that does …"""
        self._unknown = False
        """… unless nobody knows of which channels."""

    @property
    def is_busy(self) -> bool:
        """Whether anything but payments waits to be signed."""
        return self._unknown or bool(self._busy)

    def in_the_way(self, input: Input, about: tuple[ChannelId, ...]) -> bool:
        """Whether something must be signed before this is taken."""
        if not self.signings:
            return False
        if self._unknown or not about:
            return True
        if not self._busy.isdisjoint(about):
            return True
        if type(input) is CommandPay:
            return False
        if type(input) is Received and type(input.message) in _WORDS:
            return False
        return not self._paying.isdisjoint(about)

    def take_wishes(self) -> list[Sign]:
        """What is to be signed now; then nothing is in the way."""
        signings, self.signings = self.signings, []
        self._paying.clear()
        self._busy.clear()
        self._unknown = False
        return signings

    def absorb(self, input: Input, about: tuple[ChannelId, ...], result: Step) -> None:
        """Takes over what came of an input."""
        if self.drops:
            # A batch is written first and dropped from last: what is back again must not go.
            for row in result.writes:
                self.drops.pop((type(row), row_key(row)), None)
        for row in result.writes:
            if type(row) is Totals:
                self._write_payment(row)
            elif type(row) is not ChainView:
                # A restarted node asks the chain before it believes anything of it.
                self.rows.append(row)
        for row in result.drops:
            self.drops[type(row), row_key(row)] = row
        asks = False
        for effect in result.effects:
            if type(effect) is Sign:
                self.signings.append(effect)
                asks = True
            else:
                self.effects.append(effect)
        if asks:
            (self._paying if type(input) is CommandPay else self._busy).update(about)
            self._unknown = self._unknown or not about

    def _write_payment(self, row: Totals) -> None:
        """A payment asks and signs in one turn: two versions of one row, one is stored."""
        rows, place = self.rows, self._asked.pop(row.machine, None)
        if place is None or row.sent == rows[place].sent:  # type: ignore[union-attr]
            place = len(rows)
            rows.append(row)
        else:
            rows[place] = row
        if row.asked > row.sent:
            self._asked[row.machine] = place

    def join(self, writes: Iterable[Extra], drops: dict[tuple[type, bytes], Extra]) -> None:
        """What the program above wants stored."""
        self.rows += writes
        self.drops.update(drops)
