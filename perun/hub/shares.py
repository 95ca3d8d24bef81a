"""The conversation about a hub's share: an offer waits, the chain is asked, the core is told.

One offer at a time has its account looked up; what comes of that is decided again by everything
that has changed meanwhile, in the turn in which the core signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perun.core.books import Books
from perun.core.inputs import CommandJoin
from perun.core.rules.keys import peer_account
from perun.core.state import ChannelView, PeerId, Stage
from perun.errors import Misuse
from perun.hub.acceptance import Bounds, Refusal, own_deposits, strike, why_not_yet, why_poor
from perun.hub.rows import Granted, Strikes
from perun.hub.tariff import Tariff
from perun.node.guest import Desk
from perun.types import Address, Asset, ChannelId, UnixTime, Wei

__all__ = ["Shares"]

Found = Callable[[Desk, Wei | None], None]
"""Takes an account's ether, in a turn of the node; None: the chain could not be asked."""


@dataclass(slots=True)
class _Waiting:
    group: str
    since: UnixTime
    asking: bool = False
    why: str = ""
    """What it waits for."""


class Shares:
    """Offers of channels that want money of ours. In the node's thread."""

    def __init__(
        self,
        tariff: Tariff,
        bounds: Bounds,
        group_of: Callable[[PeerId], str],
        look_up: Callable[[Address, Found], None],
    ) -> None:
        """Args:
        group_of: the network address that a peer's link comes from; empty: not known.
        look_up: asks the chain, returns at once.
        """
        self.tariff, self.bounds = tariff, bounds
        self._group_of, self._look_up = group_of, look_up
        self._offers: dict[ChannelId, _Waiting] = {}
        self.granted: dict[ChannelId, Granted] = {}
        self.strikes: dict[str, Strikes] = {}
        self._held: dict[Asset, int] = {}
        """Ours in all channels, counted once while nothing changes: there are thousands."""

    @property
    def waiting(self) -> int:
        """Offers that wait for their turn."""
        return len(self._offers)

    def load(self, row: Granted | Strikes) -> None:
        """One of its rows."""
        if isinstance(row, Granted):
            self.granted[row.channel] = row
        else:
            self.strikes[row.group] = row

    # -------------------------------------------------------------------------------- what happens

    def restarted(self, desk: Desk) -> None:
        """What was offered before waits on."""
        for view in list(desk.books.channels.values()):
            if view.stage is Stage.INVITED and view.offered_at:
                self._wait_for(desk, view)

    def offered(self, desk: Desk, channel: ChannelId) -> None:
        """The core wants to know."""
        view = desk.books.channels.get(channel)
        if view is not None and view.stage is Stage.INVITED:
            self._wait_for(desk, view)
            self._held.clear()
            self._look_at(desk, channel)

    def look(self, desk: Desk) -> None:
        """Takes up what waits, oldest first; with every block, and whenever something changes."""
        self._settle(desk)
        self._held.clear()
        for id in list(self._offers):
            self._look_at(desk, id)

    def _look_at(self, desk: Desk, id: ChannelId) -> None:
        """One offer: a new one must not cost what all that wait do."""
        waiting, view = self._offers.get(id), desk.books.channels.get(id)
        if waiting is None:
            return
        if view is None or view.stage is not Stage.INVITED:
            del self._offers[id]
            return
        refusal = self._why_not(desk.books, view, waiting.group)
        if refusal is not None:
            waiting.why = refusal.reason
            late = desk.books.chain.clock - waiting.since >= self.bounds.patience
            if not refusal.passes or late:
                self._refuse(desk, id, refusal.reason)
        elif not waiting.asking:
            waiting.asking = True
            self._ask(view)

    def _wait_for(self, desk: Desk, view: ChannelView) -> None:
        if not view.funding.drawn:
            # What our policy does not put in by itself, it does not put in.
            self._refuse(desk, view.id, "this hub puts money in by openBoth, out of its credit")
            return
        now = desk.books.chain.clock
        group = self._group_of(view.peer) or "elsewhere"
        same = sum(one.group == group for one in self._offers.values())
        if view.id not in self._offers and (
            same >= self.bounds.waiting_of_address or len(self._offers) >= self.bounds.waiting
        ):
            self._refuse(desk, view.id, "too many offers wait for their turn; ask again later")
            return
        self._offers.setdefault(view.id, _Waiting(group, now))

    def _ask(self, view: ChannelView) -> None:
        id = view.id
        self._look_up(peer_account(view), lambda desk, ether: self._found(desk, id, ether))

    def _found(self, desk: Desk, id: ChannelId, ether: Wei | None) -> None:
        waiting, view = self._offers.get(id), desk.books.channels.get(id)
        if waiting is None or view is None or view.stage is not Stage.INVITED:
            return
        waiting.asking = False
        if ether is None:
            waiting.why = "the chain cannot be asked what your account holds"
            if desk.books.chain.clock - waiting.since >= self.bounds.patience:
                self._refuse(desk, id, waiting.why)
            return
        poor = why_poor(desk.books, view, ether)
        if poor is not None:
            self._refuse(desk, id, poor.reason)
            return
        # Others may have come first while the chain was asked.
        self._held.clear()
        if self._why_not(desk.books, view, waiting.group) is None:
            self._grant(desk, view, waiting.group)

    def _why_not(self, books: Books, view: ChannelView, group: str) -> Refusal | None:
        hub = books.config.policy.hub
        if hub is None or hub.paused or books.exit_only:
            return Refusal("this hub takes no new channels at the moment")
        if not view.met or not view.proven:
            return Refusal("you have not shown your newest state yet", passes=True)
        strikes = self.strikes.get(group)
        granted, asset = self.granted.values(), view.channel.asset
        if asset not in self._held:
            self._held[asset] = own_deposits(books, asset)
        held = self._held[asset]
        return why_not_yet(books, view, group, granted, strikes, self.tariff, self.bounds, held)

    def _grant(self, desk: Desk, view: ChannelView, group: str) -> None:
        try:
            desk.do(CommandJoin(view.id, accept=True, to_credit=True))
            self._held.clear()
        except Misuse as error:
            self._offers[view.id].why = str(error)
            return  # A view of the chain that is too old, or an Open of the same peer: it waits.
        del self._offers[view.id]
        account, funding = peer_account(view), view.funding
        row = Granted(view.id, account, group, view.channel.asset, funding.bob_amount)
        self.granted[view.id] = row
        desk.put(row)

    def _refuse(self, desk: Desk, id: ChannelId, reason: str) -> None:
        self._offers.pop(id, None)
        desk.do(CommandJoin(id, accept=False, reason=reason))

    # ------------------------------------------------------------------------------ what came of it

    def _settle(self, desk: Desk) -> None:
        """Lets go of `Open`s that can no longer be used, and remembers who did not."""
        channels, now = desk.books.channels, desk.books.chain.clock
        for given in list(self.granted.values()):
            view = channels.get(given.channel)
            if view is not None and any(one.ours for one in view.opens):
                continue
            del self.granted[given.channel]
            desk.drop(given)
            used = view is not None and (view.final.drawn or view.final.ended)
            if used:
                self._forgive(desk, given.group)
            else:
                base = desk.books.config.limits.open_validity
                row = strike(self.strikes.get(given.group), given.group, base, self.bounds, now)
                self.strikes[given.group] = row
                desk.put(row)
        for row in list(self.strikes.values()):
            if now >= row.until + self.bounds.longest_wait:
                self._forgive(desk, row.group)

    def _forgive(self, desk: Desk, group: str) -> None:
        row = self.strikes.pop(group, None)
        if row is not None:
            desk.drop(row)
