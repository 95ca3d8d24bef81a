"""What our accounts' credits hold in the newest final block, asked while it may have changed.

An `openBoth` draws without saying so, but it announces a channel of the account drawn on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from perun.bindings import ms_contract_calls
from perun.bindings.logs import Log
from perun.chain.aside import Aside
from perun.chain.endpoint import Block, Reading
from perun.core.inputs import ChainCredit
from perun.types import ETH, Address, Asset, Wei

__all__ = ["Credits"]

Amounts = dict[tuple[Asset, Address], Wei]


class Credits:
    """Which credits are followed, and what was reported of each."""

    def __init__(self, contract: Address, accounts: Sequence[Address]) -> None:
        self.accounts = tuple(dict.fromkeys(accounts))
        self._contract = contract
        self._words = frozenset(bytes(12) + account for account in self.accounts)
        self._assets = {ETH}
        self._sent: Amounts = {}
        self._known = False
        self._touched = 0
        """Newest block in which an event may have changed one; or did, for all we have seen."""
        self._known_to = -1
        """What that was when all were final."""

    def follow(self, asset: Asset) -> None:
        """Also those in this asset."""
        if asset not in self._assets:
            self._assets.add(asset)
            self._known = False

    def forget(self, before: int) -> None:
        """All are to be asked for again; nothing is known of events until that block."""
        self._known, self._known_to, self._touched = False, -1, before

    def see(self, logs: Iterable[Log]) -> None:
        """Logs of the newest blocks, those of the accounts among them."""
        for log in logs:
            if not self._words.isdisjoint(log.topics[2:]):
                self._touched = max(self._touched, log.block)

    def ask(self, reading: Reading, aside: Aside, head: Block, final: Block | None) -> Amounts:
        """Those that may have changed.

        Where nothing has happened since, the newest block holds what the final one does, and every
        node can be asked about it; few keep the state of old ones.
        """
        if self._known and self._touched <= self._known_to:
            return {}
        if final is None:
            return {}
        settled = self._touched <= final.number
        number = head.number if settled else final.number

        def all_of_them() -> Amounts:
            return {
                (asset, account): reading.ask(
                    ms_contract_calls.credit(self._contract, asset, account), number
                )
                for asset in sorted(self._assets)
                for account in self.accounts
            }

        found = aside.ask("credits in a final block", all_of_them, None)
        if found is None:
            return {}
        self._known = True
        if settled:
            self._known_to = self._touched
        return found

    def changed(self, asked: Amounts) -> Iterator[ChainCredit]:
        """What the core has not been told."""
        for (asset, account), amount in asked.items():
            if self._sent.get((asset, account)) != amount:
                self._sent[asset, account] = amount
                yield ChainCredit(asset, account, amount)
