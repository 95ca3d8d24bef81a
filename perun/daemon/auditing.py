"""An audit of the hub in a folder: what it keeps is copied, the chain is asked."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import perun.store
from perun.chain.endpoint import Block, Endpoint
from perun.chain.reach import reach
from perun.core.books import Books
from perun.daemon.contracts import prove, read_contracts
from perun.daemon.games import depth
from perun.daemon.places import store_of
from perun.daemon.settings import FILE_NAME, Settings, read_settings
from perun.errors import ChainFault
from perun.hub.audit import Audit, audit
from perun.hub.bookkeeper import Entry
from perun.hub.gasbook import Costs, read_costs
from perun.hub.gasbook_beside import costs_in
from perun.node.backup import back_up, config_of
from perun.node.keeping import Place
from perun.node.profile import read_profile
from perun.node.recovery import open_books
from perun.store import SqliteStore

__all__ = ["Kept", "NothingFinal", "audit_home", "audit_kept", "read_kept"]

_TRIES: Final = 5
_PAUSE: Final = 2.0
"""Seconds in which a running hub takes up what the chain has just shown."""
_PIECE: Final = 10_000


@dataclass(eq=False)
class NothingFinal(ChainFault):
    """No block of the chain is final yet."""

    template = "no block is final yet"
    hint = "wait for one"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a hub's folder says at one moment."""

    books: Books
    entries: Sequence[Entry]
    costs: Costs


def read_kept(home: Path) -> Kept:
    """From a copy, so also while the hub runs.

    Raises:
        BadSettings: there is no node in the folder.
        StoreFault: it cannot be read.
    """
    place = store_of(home, read_settings(home / FILE_NAME).node)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        costs = _copy(place, copy)
        store = SqliteStore(copy, (Entry,))
        try:
            books = open_books(config_of(read_profile(store)), store)
            entries: list[Entry] = []
            while piece := store.numbered(Entry, entries[-1].number if entries else 0, _PIECE):
                entries += piece
        finally:
            store.close()
    return Kept(books, entries, costs or read_costs(home))


def _copy(place: Place, copy: Path) -> Costs | None:
    """A SQLite file with what a store holds; the costs, if they lie beside its rows."""
    if isinstance(place, Path):
        back_up(place, copy)
        return None
    seen = perun.store.read_dump(place)
    store = SqliteStore(copy)
    try:
        store.fill(seen.dump)
    finally:
        store.close()
    return costs_in(seen.beside, str(place))


def audit_home(home: Path) -> Audit:
    """Compares; what does not add up because the hub is just taking it up is looked at again.

    Raises:
        ChainFault: the chain cannot be asked.
        BadSettings, StoreFault: as `read_kept` says.
    """
    found = audit_kept(home, read_kept(home))
    for _ in range(_TRIES):
        if found.holds:
            break
        time.sleep(_PAUSE)
        found = audit_kept(home, read_kept(home))
    return found


def audit_kept(home: Path, kept: Kept) -> Audit:
    """Compares once what was read from a folder; the chain is told by all nodes of the settings,
    which must not disagree.

    Raises:
        ChainFault: no node answers, or two say different things.
    """
    settings = read_settings(home / FILE_NAME)
    contracts = read_contracts(home / settings.chain.contracts)
    endpoint = reach(settings.chain.rpc, lambda node: prove(node.web3, contracts))
    final = _final(endpoint, settings)
    return audit(endpoint, kept.books, kept.entries, kept.costs, settings.chain.since, final)


def _final(endpoint: Endpoint, settings: Settings) -> Block:
    """The newest final block, as the hub counts."""
    behind = depth(settings.chain, endpoint.chain_id)
    if behind is None:
        final = endpoint.finalized()
    else:
        head = endpoint.block()
        assert head is not None  # Asked without a number there is one, or a fault.
        final = endpoint.block(max(0, head.number - behind))
    if final is None:
        raise NothingFinal
    return final
