"""Begins or takes up a node of a page: in the store that this browser has, or in a new one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec
from msgspec.structs import replace

from perun.app.app import App
from perun.core.books import Row
from perun.core.config import Deployment
from perun.core.state import ChannelView
from perun.crypto.interop import address
from perun.encoding.addresses import NodeAddress
from perun.errors import ChainFault, Misuse, PerunError
from perun.page.bringing_back import brought_back
from perun.page.household import Household, Wanted, number_of
from perun.page.lent import Lent
from perun.page.network import KNOWN, NetworkOf, card_at, grown, look_at, prove
from perun.page.nodes import Nodes
from perun.page.store import PageStore
from perun.types import Address
from perun.wallet.phrase import StoreKeys, words_of

__all__ = ["OtherWords", "open_household"]


_KINDS: Final = " ".join(KNOWN).encode()


@dataclass(eq=False)
class OtherWords(Misuse):
    """The words are not those of the store in this browser."""

    template: ClassVar[str] = "this browser holds the store of another phrase"
    hint: ClassVar[str] = "type the words that were shown here, or use another browser profile"


async def open_household(lent: Lent, wanted: Wanted) -> Household:
    """A node in the store that this browser has, or in a new one.

    Raises:
        BadPhrase, OtherWords: the words are none, or not this store's.
        ManyNodes: more than two nodes of the chain are named.
        OtherChain, WrongCode: the chain is not the hub's, or has other contracts.
        NothingKept, OtherAccount: what was to be brought back is not there, or not ours.
        NoCard, PeerFault: a new store needs the hub's card, and there is none.
        ChainFault: a new store needs the chain, and its node does not answer.
        StoreFault: the store cannot be used.
    """
    wanted = replace(wanted, phrase=words_of(wanted.phrase, lent.words))
    store = PageStore(lent.files, App.kinds)
    if _is_unfinished(store, wanted):
        for file in lent.files:
            file.truncate(0)
            file.flush()
        store = PageStore(lent.files, App.kinds)
    nodes = Nodes(lent, wanted.rpc)
    kept = store.get("network")
    if kept is None:
        hub = NodeAddress.parse(wanted.hub)
        card = await card_at(lent, hub.host, hub.peer)
        network = nodes.proved(lambda node: look_at(node, card))
        if wanted.store:
            await _bring_back(lent, store, wanted, network)
        else:
            _found(store, wanted, network, secrets.randbelow(2**31 - 2) + 1)
    else:
        network = msgspec.msgpack.decode(kept, type=NetworkOf)
        _prove_again(nodes, network, lent)
        network = await _with_new_kinds(lent, wanted, store, network, nodes)
    if not _is_of(store, wanted):
        raise OtherWords
    outside = store.get("account")
    return Household(lent, wanted, store, network, Address(outside) if outside else None)


def _is_of(store: PageStore, wanted: Wanted) -> bool:
    """Whether these words are the store's."""
    return store.get("node") == StoreKeys.of(wanted.phrase, number_of(store)).node.address


def _is_unfinished(store: PageStore, wanted: Wanted) -> bool:
    """Whether a page began it and ended before it had kept the words: other words begin here now,
    and without a channel there is nothing in it to lose."""
    begun = store.get("number") is not None and not _is_of(store, wanted)
    return begun and not any(isinstance(row, ChannelView) for row in store.records())


def _found(
    store: PageStore, wanted: Wanted, network: NetworkOf, number: int, rows: Iterable[Row] = ()
) -> None:
    """A new store; one with a number of its own has keys that are nobody else's."""
    values = {
        "kinds": _KINDS,
        "number": str(number).encode(),
        "node": StoreKeys.of(wanted.phrase, number).node.address,
        "network": msgspec.msgpack.encode(network),
    }
    if wanted.account:
        values["account"] = address(wanted.account)
    store.found(values, rows)


async def _bring_back(lent: Lent, store: PageStore, wanted: Wanted, network: NetworkOf) -> None:
    keys = StoreKeys.of(wanted.phrase, wanted.store)
    account = address(wanted.account) if wanted.account else keys.account.address
    back = await brought_back(lent, wanted.phrase, wanted.hub, wanted.store, network, account)
    about = replace(network, contracts=network.contracts | back.contracts)
    Nodes(lent, wanted.rpc).proved(lambda node: prove(node, about))
    _found(store, wanted, about, wanted.store, back.rows)


async def _with_new_kinds(
    lent: Lent, wanted: Wanted, store: PageStore, network: NetworkOf, nodes: Nodes
) -> NetworkOf:
    """This page may know contracts that the one that made the store did not: looked for once."""
    if store.get("kinds") == _KINDS:
        return network
    hub = NodeAddress.parse(wanted.hub)
    try:
        card, had = await card_at(lent, hub.host, hub.peer), network
        network = nodes.proved(lambda node: grown(node, had, card))
    except PerunError as error:
        # It goes on without them; the next start looks again.
        lent.report(f"kinds: {error}")
        return network
    store.put("network", msgspec.msgpack.encode(network))
    store.put("kinds", _KINDS)
    return network


def _prove_again(nodes: Nodes, network: NetworkOf, lent: Lent) -> Deployment | None:
    """A page opens without its chain, too: what the store holds was proved when it was made."""
    try:
        return nodes.proved(lambda node: prove(node, network))
    except ChainFault as fault:
        if not getattr(fault, "retry", False):
            raise
        lent.report(f"chain: {fault}")
        return None
