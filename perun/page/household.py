"""A node that lives in a page: store, chain, wire, application and interface, put together.

There is one thread and one event loop: a turn, a look at the chain and what comes over sockets
take turns. To what was signed, a reload, a crash and a power cut are the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from perun.api.door import Door
from perun.app.app import App
from perun.app.beside import Beside
from perun.app.routes import Paths
from perun.app.settings import KnownGame, KnownToken, Settings
from perun.chain.costs import reckoned
from perun.chain.service import ChainService
from perun.core.config import Policy
from perun.core.inputs import Input
from perun.core.limits import limits_for
from perun.core.notices import Notice, PaymentDelivered, PaymentReceived
from perun.core.starting import watches
from perun.core.state import PeerId
from perun.crypto import keccak
from perun.crypto.interop import checksum
from perun.encoding.addresses import NodeAddress, show_node_id, url_of
from perun.errors import ChainFault
from perun.node.clocks import SystemClock
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for, deployment_of, hello_for
from perun.node.told import ToldStore, rows_of
from perun.page.journal import PageJournal
from perun.page.keepers import Keepers
from perun.page.lent import Lent
from perun.page.lookups import PageLookups
from perun.page.network import NetworkOf, rules_of
from perun.page.nodes import Nodes
from perun.page.prompts import Prompts
from perun.page.rehearsal import Scene, rehearse
from perun.page.session import PageSession
from perun.page.signer import PageSigner
from perun.page.sockets import PageSockets
from perun.page.store import PageStore
from perun.page.tokens import Tokens, dealing_in
from perun.page.wire import PageWire
from perun.randomness import new_salt
from perun.referee import plain
from perun.referee.rulebook import CodeBook
from perun.types import Address, Asset, ChainId, ChannelId, Wei
from perun.wallet import LocalWallet
from perun.wallet.phrase import StoreKeys

__all__ = ["Household", "Wanted", "number_of"]

SOFTWARE: Final = "perun page 0.1.0"
_ROUND: Final = 1.0
"""Seconds between two looks at the chain …"""
_LONGEST: Final = 10.0
"""… and at most, while it does not answer."""
_IDLE: Final = 0.5
"""Seconds after which an idle node looks at its clock."""
_OFTEN: Final = 2
"""Looks at the chain in a row that failed, after which our user is told why."""
_FREE: Final = ChainId(31_337)
"""The number of development chains, where ether costs nothing: channels there may cost more to
enforce than they hold."""
_GREATEST_FEE: Final = Wei(10**15)
"""Most that a hub is paid for one virtual channel, as for a daemon."""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page says of the node that it wants."""

    phrase: str
    rpc: str
    """URL of a chain's node; or of two, a space between, which are compared."""
    hub: str
    """`perun1…@host`: where we attach, and whose card names the contracts at first."""
    tower: str = ""
    """`host[:port]` of who watches while the page is closed; empty: nobody."""
    store: int = 0
    """Number of a store that the hub keeps, to be brought back; 0: none."""
    account: str = ""
    """Of a browser's wallet, which owns the money; empty: the account that the words give."""

    def __repr__(self) -> str:
        """Without the words."""
        return f"Wanted(rpc={self.rpc!r}, hub={self.hub!r})"


class Household:
    """One node."""

    def __init__(
        self,
        lent: Lent,
        wanted: Wanted,
        store: PageStore,
        network: NetworkOf,
        outside: Address | None = None,
    ) -> None:
        """Puts it together; `live` begins. Use `open_household`.

        Args:
            outside: the account, if its key is in a browser's wallet.
        """
        self._lent, self.store = lent, store
        self.hub = NodeAddress.parse(wanted.hub)
        self.keys = keys = StoreKeys.of(wanted.phrase, number_of(store))
        self._nodes = Nodes(lent, wanted.rpc)
        self.endpoint = self._nodes.endpoint
        self._tokens = Tokens(store, self.endpoint)
        self._unseen = 0, ""
        deployment = deployment_of(ChainId(network.chain), network.contracts)
        limits = limits_for(ChainId(network.chain))
        self.config = config_for(
            deployment,
            keys.node.public_key,
            keccak(b"perun store " + keys.node.secret),
            outside or keys.account.address,
            dealing_in(Policy(greatest_fee=_GREATEST_FEE), self._tokens.known),
            limits if network.chain == _FREE else reckoned(limits),
        )
        rules = rules_of(network)
        games = tuple(KnownGame(name, where) for name, (where, _) in rules.items())
        paths = Paths()
        self.app = App(
            Settings(
                genesis=network.genesis,
                tokens=self._tokens.known,
                host=self.hub.host,
                games=games,
            ),
            new_salt,
            self._reach,
            SOFTWARE,
            Beside(
                watchers=lambda channel: self._keepers.watchers(channel),
                towers=lambda: self._keepers.towers(),
                backups=lambda: self._keepers.places(),
                why_no_close=lambda: "what was brought back goes to the chain alone: leave",
                path=paths.to,
                unseen=lambda: self._unseen[1] if self._unseen[0] >= _OFTEN else "",
            ),
        )
        told = ToldStore(store)
        held = [keys.node] if outside else [keys.node, keys.account]
        wallet = LocalWallet(deployment, held)
        self.chain = ChainService(
            self.endpoint,
            deployment,
            wallet.account(held[-1].address),
            self._post,
            limits=self.config.limits,
            journal=PageJournal(store),
            report=lambda report: lent.report(repr(report)),
            owner=outside,
        )
        self._prompts = (
            Prompts(
                self.chain,
                self.endpoint,
                deployment,
                outside,
                keys.node.address,
                store,
                self._ask_wallet,
                lent.report,
            )
            if outside
            else None
        )
        self._signer = (
            PageSigner(
                wallet,
                deployment,
                outside,
                self._ask_wallet,
                self._post,
                store,
                lent.report,
                keys.node.address,
            )
            if outside
            else None
        )
        self.node = Node(
            open_books(self.config, told, self.app, CodeBook(dict(rules.values()), plain.run)),
            told,
            self._signer or wallet,
            self._prompts or self.chain,
            SystemClock(),
            notify=self._hear,
            fault=lambda _about, error: lent.report(f"{type(error).__name__}: {error}"),
            guest=self.app,
        )
        self._keepers = Keepers(
            lent,
            self.config,
            keys,
            (wanted.tower,) if wanted.tower else (),
            () if store.exit_only else (wanted.hub,),
            store.count,
            (*rows_of(self.node.books), *self.app.shelf.contacts.values()),
            self._post,
        )
        told.followers.append(self._keepers.note)
        self.wire = PageWire(
            keys.node,
            hello_for(self.config, network.genesis, software=SOFTWARE),
            PageSockets(lent),
            admits=self.app.admits,
            report=lambda news: lent.report(repr(news)),
        )
        lookups = PageLookups(
            self.node,
            self.config,
            network.genesis,
            self.endpoint,
            store,
            lent,
            self.app.shelf,
            paths,
        )
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

    @property
    def purse(self) -> str:
        """The address of our key, if the account is a wallet's: ether there defends unasked."""
        return checksum(self.keys.node.address) if self._prompts is not None else ""

    async def live(self) -> None:
        """Turns, looks at the chain and stays in reach; until the node fails, which is raised."""
        self.node.wake = self._wanted.set
        self.node.start()
        for watch in watches(self.node.books):
            self.chain.watch(watch)
        # The chain first: what peers say next would count for nothing yet.
        self._look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keepers.live())
            await self._keepers.looked()
            self.node.connect(self.wire.enter(self.node))
            await self.wire.open()
            if not self.store.exit_only:
                for peer, host in self._hosts():
                    self.wire.reach(peer, host)
            tasks.create_task(self._turn())
            tasks.create_task(self._rounds())
            if self._signer is not None:
                tasks.create_task(self._signer.begin())

    async def faucet(self) -> str:
        """Asks the hub's faucet for a start; what it says, as JSON."""
        url = url_of(self.hub.host, "/faucet")
        answer = await self._lent.fetch("POST", url, f'{{"account": "{self.account}"}}')
        return answer.text

    def deal_in(self, asset: Asset) -> tuple[KnownToken, Wei]:
        """Takes a token from now on, between two turns; and what our account has of it on chain.

        Raises: as `Tokens.add`.
        """
        token = self._tokens.add(asset)
        books, known = self.node.books, self._tokens.known
        books.config = replace(books.config, policy=dealing_in(books.config.policy, known))
        self.app.call_tokens(known)
        return token, self._tokens.held(asset, self.config.identity.account)

    def rehearse(self, channel: ChannelId) -> tuple[Scene, ...]:
        """How a dispute that begins now would end; nothing is sent.

        Raises: as `perun.page.rehearsal.rehearse`.
        """
        books = self.node.books
        return rehearse(books, books.channels[channel], books.config.deployment, self._nodes.play)

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
            if self._prompts is not None:
                self._prompts.poll()
        except ChainFault as fault:
            self._lent.report(f"chain: {fault}")
            self._unseen = self._unseen[0] + 1, str(fault).removesuffix(f"; {fault.hint}")
            return False
        self._unseen = 0, ""
        return True

    async def _ask_wallet(self, question: dict[str, Any]) -> dict[str, Any]:
        answer = await self._lent.wallet(msgspec.json.encode(question).decode())
        found: dict[str, Any] = msgspec.json.decode(answer, type=dict)
        return found

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


def number_of(store: PageStore) -> int:
    """The number that the store's keys come from."""
    kept = store.get("number")
    assert kept is not None
    return int(kept)
