"""Closes channels that nobody uses when their paid time is over: by agreement, with who is here.

Used is what has changed its state; payments between ends do not, but the machine that they are in
was once added, and keeps the channel open for as long as it is listed.
"""

from __future__ import annotations

from typing import ClassVar, Final

from perun.core.inputs import CommandClose
from perun.core.notices import (
    ChannelFunded,
    InstanceAdded,
    InstanceRemoved,
    Notice,
    TransferDone,
)
from perun.core.rules.phases import Phase, phase
from perun.core.state import PeerId
from perun.encoding.records import Extra
from perun.errors import Misuse
from perun.node.guest import Desk
from perun.types import ChannelId, Seconds, UnixTime

__all__ = ["Tidying", "Used"]

_AGAIN: Final = 3_600
"""Seconds between two offers to close the same channel: the peer may want to keep it a while."""


class Used(Extra, frozen=True, array_like=True):
    """When a channel was last used."""

    table: ClassVar[str] = "hub_used"
    channel: ChannelId
    at: UnixTime
    """By our clock."""

    @property
    def row_key(self) -> bytes:
        """One for each channel."""
        return self.channel


class Tidying:
    """In the node's thread."""

    def __init__(self, paid: Seconds) -> None:
        """Args:
        paid: how long a channel may lie unused.
        """
        self._paid = paid
        self._used: dict[ChannelId, UnixTime] = {}
        self._offered: dict[ChannelId, UnixTime] = {}
        self._met: set[PeerId] = set()

    def load(self, row: Used) -> None:
        """One of its rows."""
        self._used[row.channel] = row.at

    def noticed(self, desk: Desk, notice: Notice) -> None:
        """The core tells of a change."""
        kinds = (ChannelFunded, InstanceAdded, InstanceRemoved, TransferDone)
        if isinstance(notice, kinds):
            now = desk.books.chain.clock
            self._used[notice.channel] = now
            desk.put(Used(notice.channel, now))

    def met(self, peer: PeerId) -> None:
        """A peer has been reached since we started."""
        self._met.add(peer)

    def look(self, desk: Desk) -> None:
        """With every block."""
        books, now = desk.books, desk.books.chain.clock
        for id, at in list(self._used.items()):
            if now - at <= self._paid or now - self._offered.get(id, UnixTime(0)) < _AGAIN:
                continue
            view = books.channels.get(id)
            if view is None or view.final.ended:
                del self._used[id]
                desk.drop(Used(id, at))
                continue
            if view.peer not in self._met or phase(view, books.chain) is not Phase.IDLE:
                continue
            if view.agreed is not None and view.agreed.state.nanos:
                continue
            self._offered[id] = now
            try:
                desk.do(CommandClose(id))
            except Misuse:
                continue  # Not now; there is no hurry.
