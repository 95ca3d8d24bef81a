"""Do store and chain say the same of a hub's money, to the last wei?

The chain is read anew up to a final block, the store from a copy: so it works on a hub that runs
and on one that is off. Each check names two numbers that must be equal.

- For each channel: its holdings in logs, in storage, and in the store; what our states have moved,
  added up from the bookings, and what the newest one says; what we were paid at its end.
- For each asset: credit in logs and in storage; what instances that cross us have moved, which is
  nothing once both ends have closed.
- For gas: as many costs as the account has sent transactions; and nothing has left the account
  otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from perun.bindings import ms_contract_calls
from perun.chain.endpoint import Block, Endpoint
from perun.core.books import Books
from perun.core.rules.accounting import gain
from perun.core.state import ChannelView, HubStage, Stage
from perun.core.states.content import agreed_content
from perun.errors import ChainFault
from perun.hub.bookkeeper import CROSSING, GIFT, Entry, earned
from perun.hub.gasbook import Costs
from perun.hub.onchain import AccountOnChain, ChannelOnChain, read_account, read_channels
from perun.hub.treasury import FUND
from perun.types import ETH, Asset, ChannelId

__all__ = ["Audit", "Check", "Totals", "audit"]

_MOVING: Final = (HubStage.OPENING, HubStage.CLOSING, HubStage.HALF)


@dataclass(frozen=True, slots=True)
class Check:
    """Two numbers that must be equal."""

    what: str
    ours: int
    theirs: int
    """As the chain, or another book, has it."""

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.ours == self.theirs


@dataclass(slots=True)
class Totals:
    """A hub's money in one asset, in its smallest unit."""

    account: int = 0
    credit: int = 0
    deposits: int = 0
    """Ours in live channels, as the chain holds it."""
    moved: int = 0
    """What our newest states have moved to us there."""
    reserved: int = 0
    """Locked of ours under instances."""
    peers: int = 0
    """What others hold in the same channels."""
    fees: int = 0
    gas: int = 0
    from_outside: int = 0
    """What others have sent to the account, by all that is known."""


@dataclass(slots=True)
class Audit:
    """What came of it."""

    block: int
    channels: int
    checks: list[Check] = field(default_factory=list)
    totals: dict[Asset, Totals] = field(default_factory=lambda: defaultdict(Totals))
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything adds up."""
        return all(check.holds for check in self.checks)

    @property
    def wrong(self) -> list[Check]:
        """What does not."""
        return [check for check in self.checks if not check.holds]


def audit(
    endpoint: Endpoint,
    books: Books,
    entries: Sequence[Entry],
    costs: Costs,
    since: int,
    final: Block,
) -> Audit:
    """Compares everything.

    Args:
        books: from a copy of the store.
        since: a block before the contracts.
        final: up to where the chain is read.

    Raises:
        ChainFault: the chain cannot be asked.
    """
    return _Auditor(endpoint, books, entries, costs, since, final).work()


class _Auditor:
    """What one audit looks at."""

    def __init__(
        self,
        endpoint: Endpoint,
        books: Books,
        entries: Sequence[Entry],
        costs: Costs,
        since: int,
        final: Block,
    ) -> None:
        self._endpoint, self._books, self._entries, self._costs = endpoint, books, entries, costs
        self._number = final.number
        self._views = [v for v in books.channels.values() if v.stage is Stage.JOINED]
        self._contract = books.config.deployment.contract.contract
        self._account = books.config.identity.account
        span = since, final.number
        self._chain = read_channels(endpoint, self._contract, self._views, *span)
        self._credits = read_account(endpoint, self._contract, self._account, *span)
        self.found = Audit(final.number, len(self._views))

    def work(self) -> Audit:
        """All checks."""
        moved: dict[ChannelId, int] = defaultdict(int)
        for entry in self._entries:
            moved[entry.channel] += entry.amount
        decided: dict[Asset, int] = defaultdict(int)
        for view in self._views:
            decided[view.channel.asset] += self._channel(view, moved[view.id])
        for asset in {ETH, *self._credits, *(view.channel.asset for view in self._views)}:
            self._credit(asset)
            self._neutral(asset, decided[asset])
            fees = (entry for entry in self._entries if entry.asset == asset)
            self.found.totals[asset].fees = earned(self._books, fees)
        self._gas()
        self._purse()
        return self.found

    def _equal(self, what: str, ours: int, theirs: int) -> None:
        self.found.checks.append(Check(what, int(ours), int(theirs)))

    # ------------------------------------------------------------------------------- one channel

    def _channel(self, view: ChannelView, booked: int) -> int:
        """What the chain has decided of it, beyond what states had moved."""
        name, own, on = f"channel 0x{view.id.hex()[:12]}…", int(view.role), self._chain[view.id]
        net, nanos = agreed_content(view)
        agreed = gain(view.role, net)
        self._equal(f"{name}: moved by states, in the bookings and in the newest", booked, agreed)
        if on.ended:
            put_in = on.deposited + on.drawn
            if on.disputed:
                return on.paid - put_in - agreed
            self._equal(f"{name}: put in and moved, and paid at its end", put_in + booked, on.paid)
            return 0
        stored = view.final.alice, view.final.bob
        for side, who in enumerate(("Alice", "Bob")):
            self._equal(f"{name}: {who}'s, in store and logs", stored[side], on.holdings[side])
        self._storage(view, name, on)
        totals = self.found.totals[view.channel.asset]
        totals.deposits += on.holdings[own]
        totals.peers += on.holdings[1 - own]
        totals.moved += agreed
        totals.reserved += sum((nano.alice_lock, nano.bob_lock)[own] for nano in nanos)
        return 0

    def _storage(self, view: ChannelView, name: str, on: ChannelOnChain) -> None:
        query = ms_contract_calls.holdings(self._contract, view.channel.asset, view.id)
        try:
            stored = self._endpoint.ask(query, self._number)
        except ChainFault as fault:
            self.found.notes.append(f"{name}: the node does not tell its storage: {fault}")
            return
        self._equal(f"{name}: Alice's, in logs and storage", on.holdings[0], stored.alice)
        self._equal(f"{name}: Bob's, in logs and storage", on.holdings[1], stored.bob)

    # ---------------------------------------------------------------------------------- one asset

    def _of(self, asset: Asset) -> list[ChannelOnChain]:
        return [self._chain[v.id] for v in self._views if v.channel.asset == asset]

    def _credit(self, asset: Asset) -> None:
        history = self._credits.get(asset, AccountOnChain())
        drawn = sum(on.drawn for on in self._of(asset))
        expected = sum(amount for *_, amount in history.credited) - drawn
        expected -= sum(amount for *_, amount in history.claimed)
        row = self._books.credits.get((asset, self._account))
        self.found.totals[asset].credit = expected
        query = ms_contract_calls.credit(self._contract, asset, self._account)
        try:
            stored = self._endpoint.ask(query, self._number)
        except ChainFault as fault:
            self.found.notes.append(f"the node does not tell the credit in storage: {fault}")
        else:
            self._equal("credit, in logs and storage", expected, stored)
        if row is not None:
            self._equal("credit, in store and logs", row.amount, expected)

    def _neutral(self, asset: Asset, decided: int) -> None:
        """Once nothing is half done, what crosses us has moved nothing."""
        crossings = self._books.hub_instances.values()
        half = [crossing for crossing in crossings if crossing.stage in _MOVING]
        live = [on for on in self._of(asset) if on.disputed and not on.ended]
        moved = decided + sum(
            entry.amount
            for entry in self._entries
            if entry.asset == asset and entry.kind == CROSSING
        )
        if half or live:
            self.found.notes.append(
                f"{len(half)} instances are being opened or closed, {len(live)} channels settled: "
                f"{moved} moved so far by what crosses us"
            )
            return
        self._equal("moved by all that has crossed us, and nothing", moved, 0)

    # ------------------------------------------------------------------------- gas and the account

    def _gas(self) -> None:
        begun = self._costs.begun
        spent = [paid for paid in self._costs.paid if paid.block <= self._number]
        self.found.totals[ETH].gas = sum(paid.paid for paid in spent)
        if begun is None:
            self.found.notes.append("no costs are known: the hub has not run yet")
            return
        sent = self._endpoint.next_nonce(self._account, self._number) - begun.nonce
        self._equal("transactions, with known costs and sent", len(spent), sent)

    def _purse(self) -> None:
        """What others must have sent to the account: less than nothing is money that is missing."""
        begun, totals = self._costs.begun, self.found.totals[ETH]
        try:
            totals.account = self._endpoint.balance(self._account, self._number)
        except ChainFault as fault:
            self.found.notes.append(f"the node does not tell the account's balance: {fault}")
            return
        if begun is None or begun.block > self._number:
            return
        sent = {paid.hash: paid for paid in self._costs.paid if paid.block <= self._number}
        history = self._credits.get(ETH, AccountOnChain())
        ours = self._of(ETH)
        to_credit: dict[bytes, int] = defaultdict(int)
        funded = 0
        for _, transaction, amount in history.credited:
            to_credit[transaction] += amount
            if transaction in sent and sent[transaction].kind == FUND:
                funded += amount
        paid_out = sum(amount for on in ours for _, amount in on.payouts)
        paid_out -= sum(to_credit[hash] for hash in {h for on in ours for h, _ in on.payouts})
        claimed = sum(amount for _, to, amount in history.claimed if to == self._account)
        deposited = sum(amount for on in ours for hash, amount in on.deposits if hash in sent)
        given = sum(entry.amount for entry in self._entries if entry.kind == GIFT)
        known = given + begun.balance + claimed + paid_out - funded - deposited - totals.gas
        totals.from_outside = totals.account - known
        missing = min(0, totals.from_outside)
        self._equal("missing from the account, and nothing", -missing, 0)
