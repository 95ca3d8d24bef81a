"""What the application needs to know of others before it can act: the account behind an address.

The application opens nothing. So a call that names `perun1…@host` passes here first: the host's
card is fetched, compared with our chain and contracts, and its account filled in. What our account
has on chain is filled into `status`, and nothing is begun that it cannot pay for. Who asks for the
games has those looked for that have come into the settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from perun.app.affording import knowing, with_outside
from perun.app.cards import ShownPrices, require_same, wants_card
from perun.app.errors import AccountUnknown
from perun.app.methods import GetRules, GetStatus, Open, TopUp
from perun.app.routes import Paths, Routed, Search, search_for
from perun.app.shelf import Shelf
from perun.app.work import Ask
from perun.core.config import Config
from perun.core.state import PeerId
from perun.daemon.cards import fetch_card
from perun.daemon.purse import Purse
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card, CardFromAnother
from perun.errors import PeerFault
from perun.nesting import read_json
from perun.node.runtime import Node
from perun.types import Asset

__all__ = ["Lookups"]

_AT_ONCE: Final = 4
_SEARCH_SECONDS: Final = 20.0
"""For a path; hosts that are slow to show their cards keep a payment no longer."""


class Lookups:
    """Stands before a node, as `perun.api.door.Hosted`."""

    def __init__(
        self,
        node: Node,
        config: Config,
        genesis: bytes,
        purse: Purse,
        serials: Path,
        shelf: Shelf,
        paths: Paths,
        games: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        purse: of our account.
        serials: keeps the newest serial seen of each card, so that no old one is believed.
        shelf: names of others, to see whom a payment is for.
        paths: takes those that are found.
        games: looks for rules that have come into the settings.
        """
        self._games, self._shelf, self._paths = games, shelf, paths
        self._node, self._config, self._genesis = node, config, genesis
        self._purse, self._file = purse, serials
        self._serials = _read(serials)
        self._prices = ShownPrices()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="perun-cards")
        # Apart: a host that is slow to show its card must not keep back how we stand.
        self._statuses = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="perun-status")
        self._rules = ThreadPoolExecutor(1, thread_name_prefix="perun-rules")

    @property
    def failed(self) -> Exception | None:
        """See `Hosted`."""
        return self._node.failed

    def ask(self, item: object) -> None:
        """See `Hosted`: at once, unless a card must be fetched first."""
        if isinstance(item, Ask) and isinstance(item.params, Open | TopUp):
            self._pool.submit(self._complete, item, item.params)
        elif isinstance(item, Ask) and isinstance(item.params, Routed):
            self._look_for_path(item, item.params)
        elif isinstance(item, Ask) and isinstance(item.params, GetStatus):
            self._statuses.submit(self._look_outside, item)
        elif isinstance(item, Ask) and isinstance(item.params, GetRules):
            self._rules.submit(self._look_for_games, item)
        else:
            self._node.ask(item)

    def stop(self) -> None:
        """Fetches no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._statuses.shutdown(wait=False, cancel_futures=True)
        self._rules.shutdown(wait=False, cancel_futures=True)

    def card(self, address: NodeAddress) -> Card:
        """The card of a node, if it is of our chain and contracts.

        Raises:
            PeerFault: as `fetch_card` and `require_same` say.
        """
        known = self._serials.get(address.peer.hex(), 0)
        card = fetch_card(address.host, peer=address.peer, least_serial=known)
        require_same(card, self._config, self._genesis)
        if card.serial > known:
            self._serials[address.peer.hex()] = card.serial
            # Without room on the disk it is remembered as long as we live.
            with suppress(OSError):
                _write(self._file, self._serials)
        return card

    def _look_for_path(self, item: Ask, params: Routed) -> None:
        """At once, unless whoever it is for may be behind another hub than ours."""
        found = search_for(self._shelf, self._node.books, params, self._paths)
        if found is None:
            self._node.ask(item)
        else:
            self._pool.submit(self._find_path, item, *found)

    def _find_path(
        self, item: Ask, payee: PeerId, host: str, ours: Collection[PeerId], asset: Asset
    ) -> None:
        try:
            with suppress(PeerFault):
                hub = fetch_card(host)
                require_same(hub, self._config, self._genesis)
                search = Search(ours, asset, hub)
                until = time.monotonic() + _SEARCH_SECONDS
                while time.monotonic() < until and (next := search.next()) is not None:
                    with suppress(PeerFault):
                        search.read(self.card(next))
                self._paths.know(payee, search.path)
        finally:
            self._node.ask(item)

    def _card_of(self, address: NodeAddress) -> Card:
        try:
            return self.card(address)
        except CardFromAnother as error:
            raise AccountUnknown(error.expected, address.host) from None

    def _look_outside(self, item: Ask) -> None:
        self._node.ask(with_outside(item, self._purse.look()))

    def _look_for_games(self, item: Ask) -> None:
        try:
            self._games()
        except Exception as error:
            item.fail(error)
        else:
            self._node.ask(item)

    def _complete(self, item: Ask, params: Open | TopUp) -> None:
        try:
            if isinstance(params, Open) and wants_card(params):
                card = self._card_of(NodeAddress.parse(params.peer))
                params = self._prices.complete(item.caller.token, params, card)
            known = knowing(item, params, self._purse.look())
        except Exception as error:
            item.fail(error)
        else:
            self._node.ask(known)


def _read(file: Path) -> dict[str, int]:
    try:
        return read_json(file.read_bytes(), dict[str, int])
    except (OSError, msgspec.DecodeError):
        return {}


def _write(file: Path, serials: dict[str, int]) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(msgspec.json.encode(serials))
    fresh.replace(file)
