"""What the application needs to know of others before it can act, in a page.

A call that names `perun1…@host` waits for the host's card; what our account has on chain is filled
into `status`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any

from perun.app.affording import knowing, with_outside
from perun.app.cards import ShownPrices, require_same, wants_card
from perun.app.methods import GetStatus, Open, TopUp
from perun.app.routes import Paths, Routed, Search, search_for
from perun.app.shelf import Shelf
from perun.app.work import Ask
from perun.chain.endpoint import Endpoint
from perun.core.config import Config
from perun.core.state import PeerId
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card
from perun.errors import ChainFault, PeerFault
from perun.node.runtime import Node
from perun.page.lent import Lent
from perun.page.network import card_at
from perun.page.store import PageStore
from perun.types import Asset, Wei

__all__ = ["PageLookups"]


class PageLookups:
    """Stands before a node, as `perun.api.door.Hosted`."""

    def __init__(
        self,
        node: Node,
        config: Config,
        genesis: bytes,
        endpoint: Endpoint,
        store: PageStore,
        lent: Lent,
        shelf: Shelf,
        paths: Paths,
    ) -> None:
        """Args:
        shelf: names of others, to see whom a payment is for.
        paths: takes those that are found.
        """
        self._shelf, self._paths = shelf, paths
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
        elif isinstance(item, Ask) and isinstance(item.params, Routed):
            self._look_for_path(item, item.params)
        elif isinstance(item, Ask) and isinstance(item.params, GetStatus):
            self._node.ask(with_outside(item, self._balance()))
        else:
            self._node.ask(item)

    def _look_for_path(self, item: Ask, params: Routed) -> None:
        """At once, unless whoever it is for may be behind another hub than ours."""
        found = search_for(self._shelf, self._node.books, params, self._paths)
        if found is None:
            self._node.ask(item)
        else:
            self._begin(self._find_path(item, *found))

    async def _find_path(
        self, item: Ask, payee: PeerId, host: str, ours: Collection[PeerId], asset: Asset
    ) -> None:
        try:
            with suppress(PeerFault):
                hub = await card_at(self._lent, host)
                require_same(hub, self._config, self._genesis)
                search = Search(ours, asset, hub)
                while (next := search.next()) is not None:
                    with suppress(PeerFault):
                        search.read(await self._card(next))
                self._paths.know(payee, search.path)
        finally:
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
