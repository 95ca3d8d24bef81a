"""A node that lives in a page: store, chain, wire, application and interface, put together.

There is one thread and one event loop: a turn, a look at the chain and what comes over sockets
take turns. To what was signed, a reload, a crash and a power cut are the same.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec
from msgspec.structs import replace

from perun.api.door import Door
from perun.app.app import App
from perun.app.cards import url_of
from perun.app.settings import Settings
from perun.chain.costs import reckoned
from perun.chain.service import ChainService
from perun.core.clockwork import watches
from perun.core.config import Deployment, Policy
from perun.core.inputs import Input
from perun.core.limits import limits_for
from perun.core.notices import Notice, PaymentDelivered, PaymentReceived
from perun.core.state import PeerId
from perun.crypto import keccak
from perun.crypto.interop import checksum
from perun.encoding.addresses import NodeAddress, show_node_id
from perun.errors import ChainFault, Misuse
from perun.node.clocks import SystemClock
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for, deployment_of, hello_for
from perun.page.endpoint import PageEndpoint
from perun.page.journal import PageJournal
from perun.page.lent import Lent
from perun.page.lookups import PageLookups
from perun.page.network import NetworkOf, card_at, look_at, prove
from perun.page.rpc import Rpc
from perun.page.session import PageSession
from perun.page.sockets import PageSockets
from perun.page.store import PageStore
from perun.page.wire import PageWire
from perun.randomness import new_salt
from perun.types import ChainId, Wei
from perun.wallet import LocalWallet
from perun.wallet.phrase import StoreKeys, words_of

__all__ = ["Household", "OtherWords", "Wanted", "open_household"]

SOFTWARE: Final = "perun page 0.1.0"
_ROUND: Final = 1.0
"""Seconds between two looks at the chain …"""
_LONGEST: Final = 10.0
"""… and at most, while it does not answer."""
_IDLE: Final = 0.5
"""Seconds after which an idle node looks at its clock."""
_RPC_SECONDS: Final = 10.0
_FREE: Final = ChainId(31_337)
"""The number of development chains, where ether costs nothing: channels there may cost more to
enforce than they hold."""
_GREATEST_FEE: Final = Wei(10**15)
"""Most that a hub is paid for one virtual channel, as for a daemon."""


@dataclass(eq=False)
class OtherWords(Misuse):
    """The words are not those of the store in this browser."""

    template: ClassVar[str] = "this browser holds the store of another phrase"
    hint: ClassVar[str] = "type the words that were shown here, or use another browser profile"


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page says of the node that it wants."""

    phrase: str
    rpc: str
    """URL of a chain's node."""
    hub: str
    """`perun1…@host`: where we attach, and whose card names the contracts at first."""

    def __repr__(self) -> str:
        """Without the words."""
        return f"Wanted(rpc={self.rpc!r}, hub={self.hub!r})"


class Household:
    """One node."""

    def __init__(self, lent: Lent, wanted: Wanted, store: PageStore, network: NetworkOf) -> None:
        """Puts it together; `live` begins. Use `open_household`."""
        self._lent, self.store = lent, store
        self.hub = NodeAddress.parse(wanted.hub)
        self.keys = keys = StoreKeys.of(wanted.phrase, _number(store))
        self.endpoint = _endpoint(lent, wanted.rpc)
        deployment = deployment_of(ChainId(network.chain), network.contracts)
        limits = limits_for(ChainId(network.chain))
        self.config = config_for(
            deployment,
            keys.node.public_key,
            keccak(b"perun store " + keys.node.secret),
            keys.account.address,
            Policy(greatest_fee=_GREATEST_FEE),
            limits if network.chain == _FREE else reckoned(limits),
        )
        self.app = App(
            Settings(genesis=network.genesis, host=self.hub.host), new_salt, self._reach, SOFTWARE
        )
        wallet = LocalWallet(deployment, [keys.node, keys.account])
        self.chain = ChainService(
            self.endpoint,
            deployment,
            wallet.account(keys.account.address),
            self._post,
            limits=self.config.limits,
            journal=PageJournal(store),
            report=lambda report: lent.report(repr(report)),
        )
        self.node = Node(
            open_books(self.config, store, self.app),
            store,
            wallet,
            self.chain,
            SystemClock(),
            notify=self._hear,
            fault=lambda _about, error: lent.report(f"{type(error).__name__}: {error}"),
            guest=self.app,
        )
        self.wire = PageWire(
            keys.node,
            hello_for(self.config, network.genesis, software=SOFTWARE),
            PageSockets(lent),
            admits=self.app.admits,
            report=lambda news: lent.report(repr(news)),
        )
        lookups = PageLookups(self.node, self.config, network.genesis, self.endpoint, store, lent)
        self.session = PageSession(Door(lookups), lent.say)
        self._wanted = asyncio.Event()

    @property
    def name(self) -> str:
        """Our node id, as people type it."""
        return show_node_id(self.config.identity.peer)

    @property
    def account(self) -> str:
        """Our account."""
        return checksum(self.config.identity.account)

    async def live(self) -> None:
        """Turns, looks at the chain and stays in reach; until the node fails, which is raised."""
        self.node.wake = self._wanted.set
        self.node.start()
        for watch in watches(self.node.books):
            self.chain.watch(watch)
        # The chain first: what peers say next would count for nothing yet.
        self._look()
        self.node.connect(self.wire.enter(self.node))
        await self.wire.open()
        for peer, host in self._hosts():
            self.wire.reach(peer, host)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._turn())
            tasks.create_task(self._rounds())

    async def faucet(self) -> str:
        """Asks the hub's faucet for a start; what it says, as JSON."""
        url = url_of(self.hub.host, "/faucet")
        answer = await self._lent.fetch("POST", url, f'{{"account": "{self.account}"}}')
        return answer.text

    def _hear(self, notice: Notice) -> None:
        # Payments are many, and are told as events.
        if not isinstance(notice, PaymentDelivered | PaymentReceived):
            self._lent.report(repr(notice))

    # ---------------------------------------------------------------------------- its rounds

    async def _turn(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _IDLE)
            self._wanted.clear()
            while self.node.turn():
                # Whatever else waits for the loop comes between.
                await asyncio.sleep(0)

    async def _rounds(self) -> None:
        wait = _ROUND
        while True:
            await asyncio.sleep(wait)
            wait = _ROUND if self._look() else min(2 * wait, _LONGEST)

    def _look(self) -> bool:
        """One round of the chain's port; whether the newest block is known."""
        try:
            self.chain.poll()
        except ChainFault as fault:
            self._lent.report(f"chain: {fault}")
            return False
        return True

    def _post(self, inputs: Sequence[Input]) -> None:
        self.node.post(inputs)

    # ---------------------------------------------------------------------------- who is where

    def _reach(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        if stay:
            self._remember(peer, host)
        self.wire.reach(peer, host, token, stay=stay)

    def _remember(self, peer: PeerId, host: str) -> None:
        name = f"host {peer.hex()}"
        if self.store.get(name) != host.encode():
            self.store.put(name, host.encode())

    def _hosts(self) -> list[tuple[PeerId, str]]:
        kept = {
            bytes.fromhex(name.removeprefix("host ")): host.decode()
            for name, host in self.store.values("host ").items()
        }
        return list({self.hub.peer: self.hub.host, **kept}.items())


def _endpoint(lent: Lent, url: str) -> PageEndpoint:
    return PageEndpoint(Rpc(lambda body: lent.post(url, body, _RPC_SECONDS)))


def _number(store: PageStore) -> int:
    kept = store.get("number")
    assert kept is not None
    return int(kept)


async def open_household(lent: Lent, wanted: Wanted) -> Household:
    """A node in the store that this browser has, or in a new one.

    Raises:
        BadPhrase, OtherWords: the words are none, or not this store's.
        OtherChain, WrongCode: the chain is not the hub's, or has other contracts.
        NoCard, PeerFault: a new store needs the hub's card, and there is none.
        ChainFault: a new store needs the chain, and its node does not answer.
        StoreFault: the store cannot be used.
    """
    wanted = replace(wanted, phrase=words_of(wanted.phrase, lent.words))
    store = PageStore(lent.files, App.kinds)
    endpoint = _endpoint(lent, wanted.rpc)
    kept = store.get("network")
    if kept is None:
        hub = NodeAddress.parse(wanted.hub)
        network = look_at(endpoint, await card_at(lent, hub.host, hub.peer))
        _found(store, wanted, network)
    else:
        network = msgspec.msgpack.decode(kept, type=NetworkOf)
        _prove_again(endpoint, network, lent)
    keys = StoreKeys.of(wanted.phrase, _number(store))
    if store.get("node") != keys.node.address:
        raise OtherWords
    return Household(lent, wanted, store, network)


def _found(store: PageStore, wanted: Wanted, network: NetworkOf) -> None:
    """A new store: a number of its own, so that its keys are nobody else's."""
    keys = StoreKeys.of(wanted.phrase, secrets.randbelow(2**31 - 2) + 1)
    store.put("number", str(keys.number).encode())
    store.put("node", keys.node.address)
    # Last: without it the store counts as new.
    store.put("network", msgspec.msgpack.encode(network))


def _prove_again(endpoint: PageEndpoint, network: NetworkOf, lent: Lent) -> Deployment | None:
    """A page opens without its chain, too: what the store holds was proved when it was made."""
    try:
        return prove(endpoint, network)
    except ChainFault as fault:
        if not getattr(fault, "retry", False):
            raise
        lent.report(f"chain: {fault}")
        return None
