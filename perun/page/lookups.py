"""What the application needs to know of others before it can act, in a page.

A call that names `perun1…@host` waits for the host's card; what our account has on chain is filled
into `status`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from perun.app.affording import knowing, with_outside
from perun.app.cards import ShownPrices, require_same, wants_card
from perun.app.methods import GetStatus, Open, TopUp
from perun.app.work import Ask
from perun.core.config import Config
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card
from perun.errors import ChainFault
from perun.node.runtime import Node
from perun.page.endpoint import PageEndpoint
from perun.page.lent import Lent
from perun.page.network import card_at
from perun.page.store import PageStore
from perun.types import Wei

__all__ = ["PageLookups"]


class PageLookups:
    """Stands before a node, as `perun.api.door.Hosted`."""

    def __init__(
        self,
        node: Node,
        config: Config,
        genesis: bytes,
        endpoint: PageEndpoint,
        store: PageStore,
        lent: Lent,
    ) -> None:
        self._node, self._config, self._genesis = node, config, genesis
        self._endpoint, self._store, self._lent = endpoint, store, lent
        self._outside: tuple[int, Wei] | None = None
        self._prices = ShownPrices()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def failed(self) -> Exception | None:
        """See `Hosted`."""
        return self._node.failed

    def ask(self, item: object) -> None:
        """See `Hosted`: at once, unless a card must be fetched first."""
        if isinstance(item, Ask) and isinstance(item.params, Open | TopUp):
            self._begin(self._complete(item, item.params))
        elif isinstance(item, Ask) and isinstance(item.params, GetStatus):
            self._node.ask(with_outside(item, self._balance()))
        else:
            self._node.ask(item)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _complete(self, item: Ask, params: Open | TopUp) -> None:
        try:
            if isinstance(params, Open) and wants_card(params):
                card = await self._card(NodeAddress.parse(params.peer))
                params = self._prices.complete(item.caller.token, params, card)
            known = knowing(item, params, self._balance())
        except Exception as error:
            item.fail(error)
        else:
            self._node.ask(known)

    async def _card(self, address: NodeAddress) -> Card:
        """Of our chain and contracts, and none older than one that was seen."""
        name = f"card {address.peer.hex()}"
        seen = int(self._store.get(name) or b"0")
        card = await card_at(self._lent, address.host, address.peer, seen)
        require_same(card, self._config, self._genesis)
        if card.serial > seen:
            self._store.put(name, str(card.serial).encode())
        return card

    def _balance(self) -> Wei | None:
        """What our account has on chain; asked once a block."""
        head = self._node.books.chain.head_number
        if self._outside is None or self._outside[0] != head:
            try:
                found = self._endpoint.balance(self._config.identity.account)
            except ChainFault:
                return None
            self._outside = head, found
        return self._outside[1]
