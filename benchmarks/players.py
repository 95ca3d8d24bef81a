"""Nodes as they run in earnest, on a chain that costs nothing: what all benchmarks are played by.

Each node has a store on disk, keys of its own, and a thread while something is
measured; they hand each other bytes. Only the chain is `perun.testing.ledger`, since no payment
touches it. What a node is asked to sign and to store is counted on the way, so that a figure can be
compared with what really happened.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from perun.app.app import App
from perun.app.rows import KINDS
from perun.app.settings import Settings as AppSettings
from perun.core.books import Row
from perun.core.config import HubPolicy, Policy, Worth
from perun.core.effects import Sign
from perun.core.inputs import Command, CommandAddMachine, CommandOffer, Received
from perun.core.limits import LIMITS
from perun.core.notices import Notice
from perun.core.state import LegStatus, PeerId, Totals
from perun.core.states.content import agreed_content
from perun.crypto import SecretKey, keccak
from perun.encoding.messages import AcceptChannel
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for, deployment_of
from perun.node.threads import NodeThread
from perun.randomness import new_salt
from perun.store import MemoryStore, SqliteStore
from perun.store.tables import TABLES
from perun.testing.ledger import Ledger, LedgerChain
from perun.types import (
    ETH,
    Address,
    Asset,
    ChainId,
    ChannelId,
    InstanceId,
    Nonce,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)
from perun.wallet.local import LocalWallet
from perun.wire.local import LocalNetwork

__all__ = [
    "PATIENCE_SECONDS",
    "CountingMemory",
    "CountingStore",
    "Player",
    "Stage",
    "key_named",
    "totals_on_disk",
]

PATIENCE_SECONDS = 60.0
"""How long a benchmark waits for an answer before it fails."""

CHAIN = ChainId(31337)
DEPLOYMENT = deployment_of(
    CHAIN,
    {
        "MSContract": Address(b"\x11" * 20),
        "VPM": Address(b"\x22" * 20),
        "HashTimeLock": Address(b"\x33" * 20),
        "HashChain": Address(b"\x44" * 20),
    },
)
_DEPOSIT = Wei(10**18)
_LOCK = Wei(10**15)
_LIFE = 86_400
_INVITED = 32
"""Machines asked for at a time; a node lets a peer have 64 invitations that wait."""


class CountingStore(SqliteStore):
    """Counts what it is asked to keep."""

    totals = 0
    """Rows of payments."""
    commits = 0

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `SqliteStore`."""
        listed = list(rows)
        super().write(listed, drops)
        self.totals += [*map(type, listed)].count(Totals)
        self.commits += 1


class CountingMemory(MemoryStore):
    """The same in memory, for those of whom there are many."""

    totals = 0
    commits = 0

    def write(self, rows: Iterable[Row], drops: Iterable[Row] = ()) -> None:
        """See `MemoryStore`."""
        listed = list(rows)
        super().write(listed, drops)
        self.totals += [*map(type, listed)].count(Totals)
        self.commits += 1


class CountingSigner(LocalWallet):
    """Counts signatures."""

    signatures = 0

    def sign(self, sign: Sign) -> tuple[Signature, ...]:
        """See `LocalWallet`."""
        self.signatures += len(sign.items)
        return super().sign(sign)

    def sign_all(self, signs: Sequence[Sign]) -> list[tuple[Signature, ...] | None]:
        """See `LocalWallet`."""
        self.signatures += sum(len(sign.items) for sign in signs)
        return super().sign_all(signs)


def key_named(name: str) -> SecretKey:
    """A player's, in whatever process it lives."""
    return SecretKey(keccak(b"perun benchmark key of " + name.encode()))


class _Clock:
    """Real seconds, counted from the ledger's beginning."""

    def __init__(self, start: UnixTime, since: float | None = None) -> None:
        self._start = start
        self._since = time.monotonic() if since is None else since

    def skip(self, seconds: int) -> None:
        """They pass at once."""
        self._start = UnixTime(self._start + seconds)

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return UnixTime(self._start + int(time.monotonic() - self._since))


P = TypeVar("P", bound="Player")


class Player:
    """One node with its thread; `hear` may be set to whoever wants its notices."""

    def __init__(self, name: str, stage: Stage, policy: Policy) -> None:
        self.name = name
        self.stage = stage
        self.policy = policy
        self.key = key_named(name)
        self.path = stage.folder / f"{name}.db"
        self.hear: Callable[[Notice], None] | None = None
        self.faults: list[tuple[object, Exception]] = []
        self.thread: NodeThread | None = None
        self._drawn = 0
        self.app: App | None = None
        self.boot()

    def boot(self) -> None:
        """Opens the store and makes the node; the thread is not started yet."""
        deployment, key = DEPLOYMENT, self.key
        config = config_for(
            deployment, key.public_key, keccak(b"seed" + key.address), policy=self.policy
        )
        self.app = None
        if self.stage.apps is not None:
            self.app = self.make_app()
        self.store = self.open_store()
        self.signer = CountingSigner(deployment, [key])
        self.chain = self.make_chain()
        self.node = Node(
            open_books(config, self.store, self.app),
            self.store,
            self.signer,
            self.chain,
            self.stage.clock,
            self._hear,
            self._refused,
            self.app,
        )
        self.peer: PeerId = self.node.peer
        self.chain.inbox = self.node.post
        self.node.connect(self.stage.network.enter(self.node))
        self.node.post([self.chain.block(), *self.chain.snapshots()])

    def open_store(self) -> CountingStore | CountingMemory:
        """Where it keeps what it knows."""
        return CountingStore(self.path, KINDS if self.app is not None else ())

    def make_app(self) -> App:
        """The program above it, where there is one."""
        assert self.stage.apps is not None
        return App(self.stage.apps, new_salt)

    def make_chain(self) -> LedgerChain:
        """Its view of the chain."""
        return LedgerChain(self.stage.ledger, self.key.address)

    def reboot(self) -> None:
        """Starts again on what its store holds, in the network that the stage has now."""
        self.stage.ledger.followers.remove(self.chain)
        self.store.close()
        self.boot()
        self.node.start()

    def _refused(self, what: object, error: Exception) -> None:
        # Those who meet again say again how they joined, which is heard once.
        if not (isinstance(what, Received) and isinstance(what.message, AcceptChannel)):
            self.faults.append((what, error))

    def _hear(self, notice: Notice) -> None:
        if self.hear is not None:
            self.hear(notice)

    def start(self) -> None:
        """From now on the node turns by itself."""
        self.thread = NodeThread(self.node)
        self.thread.start()

    def stop(self) -> None:
        """Ends the thread and closes the store, as a user does who switches off."""
        if self.thread is not None:
            self.thread.stop()
            self.thread = None
        self.stage.network.leave(self.peer)
        self.stage.ledger.followers.remove(self.chain)
        self.store.close()

    def do(self, commands: Iterable[Command]) -> None:
        """Commands of its user."""
        self.node.post(tuple(commands))

    def random(self) -> Salt:
        """32 bytes that nobody used before."""
        self._drawn += 1
        return Salt(keccak(self.key.secret + self._drawn.to_bytes(8, "big")))

    def listed(self) -> int:
        """How many nanos its newest fully signed states list."""
        return sum(len(agreed_content(view)[1]) for view in self.node.books.channels.values())

    def check(self) -> None:
        """Raises if the node failed, or refused anything."""
        if self.node.failed is not None:
            raise self.node.failed
        if self.faults:
            raise AssertionError(f"{self.name} refused {len(self.faults)}: {self.faults[0]}")


class Stage:
    """The ledger, the network, and whoever plays."""

    def __init__(self, folder: Path, apps: AppSettings | None = None) -> None:
        """Args:
        apps: of the program above that nodes host, with its rows and notes; None: without it.
        """
        self.folder, self.apps = folder, apps
        self.ledger = Ledger(lag=0)
        self.network = LocalNetwork()
        self.clock = _Clock(self.ledger.time)
        self.players: list[Player] = []

    def player(self, name: str, hub: bool = False, assets: tuple[Asset, ...] = (ETH,)) -> Player:
        """Another node, which joins and deposits without asking."""
        policy = Policy(
            assets=assets,
            worths=tuple(Worth(asset, 1, Wei(1)) for asset in assets if asset != ETH),
            greatest_deposit=Wei(10**30),
            hub=HubPolicy(greatest_draw=Wei(10**30)) if hub else None,
        )
        player = self.enter(Player(name, self, policy))
        for asset in set(assets) - {ETH}:
            self.ledger.mint(asset, player.key.address, 10**30)
        return player

    def enter(self, player: P) -> P:
        """One more, who is turned with the others."""
        self.players.append(player)
        return player

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Has a thread turn everybody, and in the end stops them.

        One for all: nodes on threads of their own would take turns anyway, since there is one
        interpreter's lock, and lose time by handing it over (docs/performance.md).
        """
        loop = NodeThread(*(player.node for player in self.players))
        try:
            loop.start()
            yield
        finally:
            loop.stop()
            for player in self.players:
                player.stop()
        for player in self.players:
            player.check()

    def settle(self, done: Callable[[], bool]) -> None:
        """Without threads: turns everybody, and mines when all is quiet, until something is so."""
        for _ in range(1_000):
            while busy := [player for player in self.players if player.node.busy]:
                for player in busy:
                    player.node.turn()
            for player in self.players:
                player.check()
            if done():
                return
            self.ledger.advance(1, 1)
        raise AssertionError("it never happened")

    def catch_up(self) -> None:
        """Mines a block, if the newest is old, and waits until everybody has looked at it.

        This ledger tells all that is watched with each block, a real follower only what changed;
        so it must not happen while something is measured.
        """
        if self.mine():
            while any(
                player.node.busy or player.node.books.chain.head_number < self.ledger.number
                for player in self.players
            ):
                time.sleep(0.01)

    def mine(self) -> bool:
        """Another block, if the newest is old."""
        behind = self.clock.now() - self.ledger.time
        if behind <= LIMITS[CHAIN].freshness // 3:
            return False
        self.ledger.advance(behind, 1)
        return True

    def channels(
        self, alice: Player, bob: Player, assets: Iterable[Asset], each: int = 1
    ) -> list[ChannelId]:
        """Channels with both deposits final, `each` in every asset."""
        before = set(alice.node.books.channels)
        wanted = [asset for asset in assets for _ in range(each)]
        most = LIMITS[CHAIN].offers_per_peer
        for start in range(0, len(wanted), most):
            self._fund(alice, bob, wanted[start : start + most])
        return [id for id in alice.node.books.channels if id not in before]

    def _fund(self, alice: Player, bob: Player, wanted: Sequence[Asset]) -> None:
        before = len(alice.node.books.channels)
        alice.do(
            CommandOffer(
                bob.peer,
                bob.key.address,
                asset,
                Seconds(600),
                Nonce(int.from_bytes(alice.random()[:8], "big")),
                _DEPOSIT,
                _DEPOSIT,
            )
            for asset in wanted
        )

        def funded() -> bool:
            views = [list(one.node.books.channels.values()) for one in (alice, bob)]
            return all(
                sum((view.final.alice, view.final.bob) == (_DEPOSIT, _DEPOSIT) for view in side)
                >= before + len(wanted)
                for side in views
            )

        self.settle(funded)

    def machines(
        self, alice: Player, bob: Player, channels: Sequence[ChannelId], lock: Wei = _LOCK
    ) -> list[InstanceId]:
        """A machine in each channel, good for payments at both ends; `alice` is its Alice."""
        before = set(alice.node.books.instances)

        def listed(player: Player) -> int:
            return sum(
                instance.legs[0].status is LegStatus.LISTED and instance.watched
                for instance in player.node.books.instances.values()
            )

        for start in range(0, len(channels), _INVITED):
            some = channels[start : start + _INVITED]
            alice.do(self.machine(alice, id, lock) for id in some)
            wanted = len(before) + start + len(some)
            self.settle(lambda: min(listed(alice), listed(bob)) >= wanted)  # noqa: B023
        return [id for id in alice.node.books.instances if id not in before]

    def machine(
        self, alice: Player, channel: ChannelId, lock: Wei, end: PeerId = b""
    ) -> CommandAddMachine:
        """The command that adds one."""
        validity = UnixTime(self.ledger.time + _LIFE)
        challenge = Seconds(LIMITS[CHAIN].least_machine_challenge)
        return CommandAddMachine(channel, lock, lock, validity, challenge, alice.random(), end)


def totals_on_disk(path: Path) -> tuple[int, int]:
    """Sum of what a closed store has sent and received: of payments of 1 wei, their number."""
    table = TABLES[Totals]
    sent = received = 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for number, body in db.execute(table.select):
            row = table.decode(number, body)
            sent, received = sent + row.sent, received + row.received
    db.close()
    return sent, received


def wait(event: threading.Event, players: Iterable[Player]) -> None:
    """Waits for what a callback sets; raises what went wrong instead."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not event.wait(0.2):
        for player in players:
            player.check()
        if time.monotonic() > end:
            raise AssertionError("it never happened")
