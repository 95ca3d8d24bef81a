"""The hub's part of the node's turns: what it hears goes to its parts, and on to the program above.

A node has one guest. This one stands in front of `perun.app`, whose methods a hub has as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from perun.core.books import Books
from perun.core.effects import SignItem
from perun.core.indexes import touched
from perun.core.inputs import ChainBlock, ChainChannel, Connected, Input, Restarted
from perun.core.notices import ChannelOffered, Notice
from perun.core.state import HubStage, PeerId, Stage
from perun.encoding.messages import GuestMessage
from perun.encoding.records import Extra
from perun.hub.bookkeeper import Bookkeeper, Entry
from perun.hub.faucet import Faucet, Gift
from perun.hub.rows import KINDS, Filling, Granted, Mode, Strikes
from perun.hub.shares import Shares
from perun.hub.tidying import Tidying, Used
from perun.hub.treasury import Treasury
from perun.node.guest import Desk, Guest
from perun.types import Record, Signature

__all__ = ["HubGuest", "InTurn"]


class InTurn(Record, frozen=True):
    """Something to be done in a turn of the node; posted by `Node.ask`."""

    act: Callable[[Desk], None]


class HubGuest:
    """See `perun.node.guest.Guest`."""

    def __init__(
        self, app: Guest, shares: Shares, treasury: Treasury, faucet: Faucet | None = None
    ) -> None:
        """Args:
        app: the guest behind this one.
        """
        self.faucet = faucet
        self._tidying = Tidying(shares.tariff.prices.paid)
        self.customers: frozenset[PeerId] = frozenset()
        """Who has money in a channel with us, as of the newest block; any thread may look."""
        self._app = app
        self.shares, self.treasury = shares, treasury
        self.mode = Mode()
        self.bookkeeper = Bookkeeper()
        self.draining = False
        self.gas_spent = 0
        """Wei, in all; for metrics."""
        self.kinds: Sequence[type[Extra]] = (*app.kinds, *KINDS, Entry, Gift, Used)

    def load(self, row: Extra) -> None:
        """See `Guest`."""
        if isinstance(row, Granted | Strikes):
            self.shares.load(row)
        elif isinstance(row, Filling):
            self.treasury.load(row)
        elif isinstance(row, Gift):
            if self.faucet is not None:
                self.faucet.load(row)
        elif isinstance(row, Used):
            self._tidying.load(row)
        elif isinstance(row, Mode):
            self.mode = row
        else:
            self._app.load(row)

    def asked(self, desk: Desk, item: object) -> None:
        """See `Guest`."""
        if isinstance(item, InTurn):
            item.act(desk)
        else:
            self._app.asked(desk, item)

    def heard(self, desk: Desk, sender: PeerId, via: PeerId, message: GuestMessage) -> None:
        """See `Guest`."""
        self._app.heard(desk, sender, via, message)

    def noticed(self, desk: Desk, notice: Notice) -> None:
        """See `Guest`."""
        if isinstance(notice, ChannelOffered):
            self.shares.offered(desk, notice.channel)
        self.bookkeeper.noticed(desk, notice)
        self._tidying.noticed(desk, notice)
        self._app.noticed(desk, notice)

    def signed(self, desk: Desk, item: SignItem, signature: Signature) -> None:
        """See `Guest`."""
        self._app.signed(desk, item, signature)

    def passed(self, desk: Desk, input: Input) -> None:
        """See `Guest`."""
        if isinstance(input, Restarted):
            self.bookkeeper.begin(desk)  # So that metrics know at once.
            self._go_by_mode(desk)
            self.shares.restarted(desk)
        elif isinstance(input, Connected):
            self._tidying.met(input.peer)
        elif isinstance(input, ChainBlock) or (
            isinstance(input, ChainChannel) and input.id in self.shares.granted
        ):
            self.shares.look(desk)
            if isinstance(input, ChainBlock):
                self._new_block(desk)
        self._app.passed(desk, input)

    def _new_block(self, desk: Desk) -> None:
        self.treasury.look(desk)
        self._tidying.look(desk)
        if self.faucet is not None:
            self.faucet.look(desk)
        self.customers = frozenset(
            view.peer
            for view in desk.books.channels.values()
            if view.stage is Stage.JOINED and touched(view.head) and not view.final.ended
        )

    def is_paid(self, desk: Desk, key: bytes, block: int) -> None:
        """A transaction of ours is in a final block."""
        self.treasury.is_paid(desk, key, block)
        if self.faucet is not None:
            self.bookkeeper.give(desk, self.faucet.is_paid(desk, key))

    def ended(self, desk: Desk) -> None:
        """See `Guest`."""
        self._app.ended(desk)

    def pause(self, desk: Desk, paused: bool) -> None:
        """Takes nothing new, or does again; remembered."""
        self.mode = replace(self.mode, paused=paused)
        desk.put(self.mode)
        self._go_by_mode(desk)

    def drain(self, desk: Desk) -> int:
        """Takes nothing new as long as the process lives; how much is under way."""
        self.draining = True
        self._go_by_mode(desk)
        return under_way(desk.books)

    def _go_by_mode(self, desk: Desk) -> None:
        policy, paused = desk.books.config.policy, self.mode.paused or self.draining
        if policy.hub is not None and policy.hub.paused != paused:
            desk.agree_to(replace(policy, hub=replace(policy.hub, paused=paused)))


def under_way(books: Books) -> int:
    """Pairs of proposals that the hub has begun to take up: they end within *patience*."""
    moving = (HubStage.OPENING, HubStage.CLOSING)
    return sum(crossing.stage in moving for crossing in books.hub_instances.values())
