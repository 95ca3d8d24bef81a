"""Finding a path over several hubs: pure functions over what their cards say; and what was found.

A card names the hubs that its own has channels with. Looked for is from the payee's hub backwards,
until a hub comes that we have a channel with; the fewest hubs, and of those the least fee.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from typing import Final

from perun.app.methods import LockMoney, Pay, Play
from perun.app.shelf import Shelf
from perun.app.texts import asset_of, who
from perun.core.books import Books
from perun.core.state import PeerId
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card
from perun.encoding.links import parse_link
from perun.encoding.messages import MAX_ONWARD
from perun.errors import Misuse
from perun.types import Asset

__all__ = ["Path", "Paths", "Routed", "Search", "path_to", "search_for", "unread"]

Path = tuple[PeerId, ...]
"""Hubs from the one that we have a channel with to the one that the payee has a channel with."""

Routed = Pay | Play | LockMoney
"""Calls for which a path over several hubs is looked for."""

_MOST_READ: Final = 16
"""Cards that are read for one path."""


class Paths:
    """To payees behind other hubs than ours; as long as we run. May be used from any thread."""

    def __init__(self) -> None:
        self._known: dict[PeerId, Path] = {}

    def know(self, payee: PeerId, path: Path) -> None:
        """One hub is no path: it is tried anyway."""
        if len(path) > 1:
            self._known[payee] = path
        else:
            self._known.pop(payee, None)

    def to(self, payee: PeerId) -> Path:
        """Empty: none is known."""
        return self._known.get(payee, ())


def search_for(
    shelf: Shelf, books: Books, params: Routed, known: Paths
) -> tuple[PeerId, str, Collection[PeerId], Asset] | None:
    """Whom it is for, where his hub is, which hubs are ours, and the asset; None: nothing is to be
    found out, since a channel or machine with the payee is there, no host is named, or
    what it asks for is wrong, which is said when it is begun.
    """
    try:
        payee, host, asset = _asked(shelf, params)
    except Misuse:
        return None
    indexes = books.indexes
    # A lock or a game needs a path of its own, whatever can be paid by a machine.
    has_way = isinstance(params, Pay) and shelf.machines.get(payee)
    if not host or has_way or payee in indexes.of_peer or known.to(payee):
        return None
    ours = [peer for peer in tuple(indexes.of_peer) if indexes.with_peer(peer, asset)]
    return (payee, host, ours, asset) if ours else None


def _asked(shelf: Shelf, params: Routed) -> tuple[PeerId, str, Asset]:
    """Raises `Misuse`: it names nobody, or nothing that is an asset."""
    if not params.to.lower().startswith("perun:"):
        to = who(shelf, params.to)
        return to.peer, to.host, asset_of(params.asset)
    link = parse_link(params.to)
    asset = asset_of(params.asset) if link.request is None else link.request.asset
    return link.payee, link.relay_host or link.host, asset


class Search:
    """One search, for whoever can read cards: gives what to read next, takes what was read."""

    def __init__(self, ours: Collection[PeerId], asset: Asset, hub: Card) -> None:
        """Args:
        ours: hubs that we have a channel with.
        hub: the payee's.
        """
        self._ours, self._asset, self._to = ours, asset, hub.peer
        self._cards = {hub.peer: hub}
        self._asked: set[PeerId] = set()

    def next(self) -> NodeAddress | None:
        """Whose card to read next; None: there is a path, or none to be found."""
        if len(self._asked) >= _MOST_READ:
            return None
        found = unread(self._cards, self._asked, self._ours, self._to, self._asset)
        if found is not None:
            self._asked.add(found.peer)
        return found

    def read(self, card: Card) -> None:
        """What was asked for; what cannot be read is left out."""
        self._cards[card.peer] = card

    @property
    def path(self) -> Path:
        """The best that is known; empty: none."""
        return path_to(self._cards, self._ours, self._to, self._asset)


def path_to(
    cards: Mapping[PeerId, Card], ours: Collection[PeerId], to: PeerId, asset: Asset
) -> Path:
    """The best path from a hub of ours to the payee's.

    Returns:
        Empty if the cards show none; a single hub if the payee's is one of ours.
    """
    for _, _, path in _ways_back(cards, to, asset):
        if path[0] in ours:
            return path
    return ()


def unread(
    cards: Mapping[PeerId, Card],
    asked: Collection[PeerId],
    ours: Collection[PeerId],
    to: PeerId,
    asset: Asset,
) -> NodeAddress | None:
    """Whose card to read next, the nearest to the payee's hub; None: there is a path, or none."""
    where: dict[PeerId, NodeAddress] = {}
    for _, _, path in _ways_back(cards, to, asset):
        hub = path[0]
        if hub in ours:
            return None
        card = cards.get(hub)
        if card is None and hub not in asked:
            return where.get(hub)
        for next in _neighbours(card) if card is not None else ():
            where.setdefault(next.peer, next)
    return None


def _ways_back(
    cards: Mapping[PeerId, Card], to: PeerId, asset: Asset
) -> list[tuple[int, int, Path]]:
    """Hubs from which the payee's is reached, nearest first, each by its best path."""
    found: dict[PeerId, tuple[int, int, Path]] = {}
    ahead: list[tuple[int, int, Path]] = [(1, _fee(cards.get(to), asset), (to,))]
    while ahead:
        hubs, fee, path = heapq.heappop(ahead)
        card = cards.get(path[0])
        if path[0] in found:
            continue
        found[path[0]] = hubs, fee, path
        # The receiver itself is named too when a hub is asked.
        if card is None or hubs >= MAX_ONWARD:
            continue
        for next in _neighbours(card):
            if next.peer not in found:
                more = fee + _fee(cards.get(next.peer), asset)
                heapq.heappush(ahead, (hubs + 1, more, (next.peer, *path)))
    return list(found.values())


def _neighbours(card: Card) -> list[NodeAddress]:
    found = []
    for text in card.neighbours:
        try:
            found.append(NodeAddress.parse(text))
        except Misuse:
            continue
    return found


def _fee(card: Card | None, asset: Asset) -> int:
    """What a hub asks for any machine, as far as we know."""
    for priced in card.assets if card is not None else ():
        fee = priced.base_fee
        same = int(priced.asset, 16) == int.from_bytes(asset, "big")
        if same and fee.isascii() and fee.isdigit():
            return int(fee[:40])
    return 0
