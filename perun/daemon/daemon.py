"""A node that lives in a process: chain, store, wire, application and interface, put together.

    daemon = Daemon(home, settings, keyring)
    daemon.start()
    …
    daemon.stop()

Everything that it keeps is below `home`. To what was signed, `stop`, a crash and a power cut are
the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from perun.api.place import tokens_folder
from perun.api.publishing import publish_place, withdraw_place
from perun.api.server import ApiServer
from perun.api.tokens import Tokens
from perun.app.app import App
from perun.app.beside import Beside
from perun.app.routes import Paths
from perun.app.settings import Settings as AppSettings
from perun.bindings.translation import translated
from perun.chain import connect
from perun.chain.reach import reach
from perun.chain.reports import Report
from perun.chain.rpc import RpcEndpoint
from perun.core.config import Config, Deployment
from perun.core.limits import limits_for
from perun.core.notices import Notice
from perun.core.state import PeerId
from perun.crypto import SecretKey, keccak
from perun.daemon.backups import Backups, Lookout
from perun.daemon.cards import CardKeeper, card_of
from perun.daemon.carrying import Carrier
from perun.daemon.contracts import prove, read_contracts
from perun.daemon.games import Found, Games, depth, named_rules, suite_rules
from perun.daemon.hosting import Hosting
from perun.daemon.keyring import Keyring
from perun.daemon.lookups import Lookups
from perun.daemon.places import nats_of, place_of, store_of, tls_of
from perun.daemon.policies import policy_of, tokens_of
from perun.daemon.purse import Purse
from perun.daemon.services import Services
from perun.daemon.settings import USUAL_API, BadSettings, Settings
from perun.daemon.towers import Towers, tower_on
from perun.encoding.addresses import NodeAddress, show_node_id
from perun.encoding.cards import Card
from perun.errors import ChainFault
from perun.hub.treasury import Told as HubNews
from perun.node.assembly import Assembly
from perun.node.settings import config_for, hello_for
from perun.node.stalls import TurnHangs
from perun.node.threads import NodeThread
from perun.randomness import new_salt
from perun.tower.service import TowerService
from perun.types import Address, UnixTime
from perun.wallet import LocalWallet, encrypt, read_keyfile
from perun.wire.listener import Listener
from perun.wire.mesh import Mesh, MeshDown, MeshUp
from perun.wire.web import News, WebWire

__all__ = ["Daemon", "Told"]

SOFTWARE: Final = "perun 0.1.0"
_LIGHT_WORK: Final = 2**13
"""scrypt's n for the keyfile inside the store: whoever reads that file has the keys' file too."""

_Ground = tuple[Deployment, bytes]
"""Contracts, and the hash of their chain's first block."""

Told = Report | Notice | News | MeshUp | MeshDown | HubNews | TurnHangs | tuple[object, Exception]
"""What the parts of a daemon have to say, for a log."""


def _unharmed(tell: Callable[[Told], None]) -> Callable[[Told], None]:
    """Whoever listens may fail: what it is told in are the node's turn, the chain's round and the
    wire's loop, and none of them may end for that."""

    def told(what: Told) -> None:
        with suppress(Exception):
            tell(what)

    return told


class Daemon:
    """One node."""

    def __init__(
        self,
        home: Path,
        settings: Settings,
        keyring: Keyring,
        *,
        password: str = "",
        tell: Callable[[Told], None] = lambda _: None,
    ) -> None:
        """Opens the store and looks at the chain; nothing is sent or served yet.

        Args:
            home: where the settings' files are.
            password: also opens `account_keyfile`, and the keyfile kept for exits.
            tell: hears reports of the chain, notices of the core, news of the wire, and refusals;
                from several threads.

        Raises:
            BadSettings: a setting cannot be meant.
            ChainFault: the chain cannot be reached, or has other contracts.
            StoreFault: the store cannot be opened.
        """
        self.home, self.settings, self.keyring = home, settings, keyring
        self._tell = tell = _unharmed(tell)
        account = self._account(password)
        self.hosting: Hosting | None = None
        contracts = read_contracts(home / settings.chain.contracts)
        grounds: set[_Ground] = set()
        rules: dict[Address, Found] = {}

        def learn(node: RpcEndpoint) -> None:
            deployment = prove(node.web3, contracts)
            found = suite_rules(node.web3, contracts)
            behind = depth(settings.chain, deployment.contract.chain_id)
            found += named_rules(node.web3, settings.chain.games, behind)
            rules.update({one.where: one for one in found})
            with translated():
                grounds.add((deployment, bytes(node.web3.eth.get_block(0)["hash"])))

        endpoint = reach(settings.chain.rpc, learn, self._hear)
        if len(grounds) > 1:
            raise BadSettings("[chain] rpc", "names nodes of two chains")
        ((deployment, genesis),) = grounds
        limits = limits_for(deployment.contract.chain_id)
        behind = depth(settings.chain, deployment.contract.chain_id)
        limits = replace(limits, finality_blocks=behind)
        self.config: Config = config_for(
            deployment,
            keyring.node.public_key,
            keccak(b"perun store " + keyring.node.secret),
            account.address,
            policy_of(settings),
            limits,
        )
        self.games = Games(home, settings.chain, list(rules.values()), behind)
        self.peer: PeerId = self.config.identity.peer
        self.genesis = genesis
        self.card = CardKeeper(
            home / "card.serial",
            keyring.node,
            self._card,
            lambda: self.hosting and (self.hosting.most(), self.hosting.neighbours()),
        )
        self.listener = self._make_listener()
        self.paths = Paths()
        self.app = App(
            AppSettings(
                genesis=genesis,
                host=self._public_host(),
                games=self.games.known,
                tokens=tokens_of(settings),
            ),
            new_salt,
            self._reach,
            beside=Beside(
                path=self.paths.to,
                watchers=lambda channel: self.towers.watchers(channel),
                towers=lambda: self.towers.states(),
                backups=lambda: self.backups.shown(),
                why_no_close=lambda: self.lookout.why_no_close(),
                games=lambda: self.games.known,
            ),
        )
        if settings.hub is not None:
            self.hosting = Hosting(self, home, settings.hub, tell)
        keyfile = encrypt(account, password, work=_LIGHT_WORK)
        self.assembly = Assembly(
            store_of(home, settings.node),
            self.config,
            keyring.node,
            endpoint,
            wallet=LocalWallet(deployment, [keyring.node, account]),
            since=settings.chain.since,
            keyfile=keyfile,
            any_price=settings.policy.small_channels,
            notify=tell,
            fault=lambda what, why: tell((what, why)),
            report=self._hear,
            guest=self.app if self.hosting is None else self.hosting.guest,
            rules=self.games.book,
        )
        self._undo = ExitStack()
        if self.hosting is not None:
            self._undo.callback(self.hosting.close)
        self._undo.callback(self.assembly.close)
        places = settings.backup.places
        self.backups: Backups = Backups(
            self.assembly,
            keyring,
            places,
            keyfile,
            self.app.shelf.contacts.values(),
            lambda fault: tell(("backup", fault)),
        )
        exit_only = self.assembly.node.books.exit_only
        self.lookout: Lookout = Lookout(
            self.assembly, keyring, places if exit_only else (), self._dial_hubs
        )
        self.towers: Towers = Towers(
            self.assembly,
            keyring.node,
            settings.tower.addresses,
            lambda fault: tell(("tower", fault)),
        )
        self.carrier = Carrier(home, lambda fault: tell(("swap", fault)))
        self.services = Services(home, settings, self.listener, self._tower)
        self._undo.callback(self.services.close)
        hello = hello_for(self.config, genesis, software=SOFTWARE)
        self.wire = WebWire(
            keyring.node, hello, listener=self.listener, admits=self._admits, report=tell
        )
        self.thread = NodeThread(self.assembly.node)
        node = self.assembly.node
        purse = Purse(self.connect, account.address, lambda: node.books.chain.head_number)
        self._undo.callback(purse.stop)
        self.lookups = Lookups(
            *(node, self.config, genesis, purse, home / "cards.json", self.app.shelf, self.paths),
            lambda: self.games.look(self.connect().web3),
        )
        self._undo.callback(self.lookups.stop)
        bind, port = place_of(settings.api.listen or USUAL_API)
        self.api = ApiServer(
            self.lookups,
            Tokens(tokens_folder(home)),
            bind,
            port,
            else_free=not settings.api.listen,
            origins=settings.api.pages,
        )

    @property
    def name(self) -> str:
        """Our node id, as people type it."""
        return show_node_id(self.peer)

    def start(self) -> None:
        """Looks at the chain, serves, dials, and lives from now on.

        Raises:
            ChainFault: the chain cannot be reached.
            OSError: an address to listen at is taken.
        """
        undo = self._undo
        undo.callback(self.backups.stop)
        self.backups.start()
        undo.callback(self.wire.stop)
        if self.hosting is not None:
            self.hosting.start()
            undo.callback(self.hosting.stop)
        self.assembly.join(self.wire)
        self.thread.start()
        undo.callback(self.thread.stop)
        self.assembly.chain.start()
        undo.callback(self.assembly.chain.stop)
        undo.callback(self.lookout.stop)
        self.lookout.start()
        self.towers.start()
        undo.callback(self.towers.stop)
        self.services.start()
        self.api.start()
        undo.callback(self.api.stop)
        publish_place(self.home, self.api.url)
        undo.callback(withdraw_place, self.home)
        # It asks by the interface, as the command does.
        self.carrier.start()
        undo.callback(self.carrier.stop)

    @property
    def link(self) -> str:
        """Our address, as people type it: `perun1…@host`; only the id if nobody can dial us."""
        host = self._public_host()
        return f"{self.name}@{host}" if host else self.name

    def drain(self) -> None:
        """Takes nothing new and returns when what is under way is done, or after a while."""
        if self.hosting is not None:
            self.hosting.drain()

    def stop(self) -> None:
        """Tells peers that we leave, and lets everything go; again does nothing."""
        self._undo.close()

    @property
    def failed(self) -> Exception | None:
        """Why node, chain port or store have ended by themselves, if they have: none is of use
        without the others."""
        assembly = self.assembly
        return assembly.node.failed or assembly.chain.failed or assembly.store.failed

    # ------------------------------------------------------------------------ putting together

    def _account(self, password: str) -> SecretKey:
        file = self.settings.node.account_keyfile
        return read_keyfile(self.home / file, password) if file else self.keyring.account

    def connect(self) -> RpcEndpoint:
        """A connection to the first of the chain's nodes that answers, for what is not urgent and
        not believed alone.

        Raises:
            ChainFault: none does.
        """
        fault: ChainFault | None = None
        for url in self.settings.chain.rpc:
            try:
                return connect(url)
            except ChainFault as error:
                fault = error
        raise fault or BadSettings("[chain] rpc", "names no node")

    def _hear(self, report: Report) -> None:
        if self.hosting is not None:
            self.hosting.hear(report)
        self._tell(report)

    def _tower(self, listener: Listener) -> TowerService:
        """What we are for others; looks at the chain by a connection of its own."""
        return tower_on(
            listener,
            self.home / self.settings.tower.folder,
            self.settings.tower,
            endpoint=self.connect(),
            deployment=self.config.deployment,
            account=self.keyring.tower,
            limits=self.config.limits,
            since=self.settings.chain.since,
            own=self.peer,
            report=self._tell,
            tell=lambda about, error: self._tell((f"tower: {about}", error)),
        )

    def _dial_hubs(self) -> None:
        for text in self.settings.wire.hubs:
            hub = NodeAddress.parse(text)
            self.wire.reach(hub.peer, hub.host)

    def _reach(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        if self.lookout.why_no_close() is None:
            self.wire.reach(peer, host, token, stay=stay)

    def _carries(self, sender: PeerId, to: PeerId) -> bool:
        return self.hosting is None or self.hosting.carries(sender, to)

    def _admits(self, peer: PeerId, token: bytes) -> bool:
        """Whether a node that we have no channel with may have a session."""
        settings = self.settings
        return settings.hub is not None or settings.wire.strangers or self.app.admits(peer, token)

    def _make_listener(self) -> Listener | None:
        wire = self.settings.wire
        if not wire.listen:
            if wire.nats:
                raise BadSettings("[wire] nats", "a node behind gateways has a `listen` too")
            return None
        bind, port = place_of(wire.listen)
        certificate = self.home / wire.tls_certificate if wire.tls_certificate else None
        key = self.home / wire.tls_key if wire.tls_key else None
        tls = tls_of(wire.listen, certificate, key, proxied=wire.proxy)
        return Listener(
            bind,
            port,
            hosts=wire.hosts,
            card=self.card.text,
            tls=tls,
            proxied=wire.proxy,
            passes=self._carries,
            mesh=self._mesh(),
        )

    def _mesh(self) -> Mesh | None:
        wire = self.settings.wire
        if not wire.nats:
            return None
        file = self.home / wire.nats_password_file if wire.nats_password_file else None
        server = nats_of(wire.nats, wire.nats_user, file)
        return Mesh(server, card=self.card.text, report=self._tell)

    def _card(self, serial: int, until: UnixTime) -> Card:
        return card_of(
            self.config,
            self.genesis,
            self._public_host(),
            serial=serial,
            until=until,
            offers=(() if self.hosting is None else self.hosting.offers) + self.services.offers,
            software=SOFTWARE,
            share=None if self.hosting is None else self.hosting.share(),
            rules=self.games.places,
            tokens=tokens_of(self.settings),
            neighbours=() if self.hosting is None else self.hosting.neighbours(),
        )

    def _public_host(self) -> str:
        if self.settings.wire.hosts:
            return self.settings.wire.hosts[0]
        if self.listener is None or not self.listener.port:
            return ""
        return self.listener.host
