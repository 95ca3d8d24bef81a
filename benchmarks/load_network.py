"""Many light wallets in one process, on a hub that is another one: they open, pay and are cut off.

Each wallet is a node with keys, rows, notes and sessions of its own; its store is one in memory,
since what is measured is the hub. All of them share one thread and one event loop, so the load
takes turns with itself and never with a lock. What they did is audited to the wei in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.players import CountingMemory, Player, Stage
from perun.app.methods import Pay
from perun.app.settings import Settings
from perun.app.work import Ask
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandOffer
from perun.core.state import ChannelView, PeerId
from perun.core.states.content import agreed_content
from perun.crypto import SecretKey
from perun.encoding.addresses import show_node_id
from perun.node.runtime import Node
from perun.ports import Member
from perun.store.kept import KeptStore
from perun.types import ETH, Nonce, Seconds, Wei
from perun.wire.exchange import Exchange
from perun.wire.local import LocalNetwork
from perun.wire.parcels import Hello
from perun.wire.web_sockets import WebSockets

__all__ = ["HUB", "Crowd", "Pair", "begin_stage", "settings"]

HUB: Final = "ingrid"
DEPOSIT: Final = Wei(10**15)
_CHALLENGE: Final = Seconds(7 * 86_400)
"""Long, or a hub that would have to answer for all of them at once takes fewer."""
_OFFERS: Final = 50
_SWEEP: Final = 1.0
"""Seconds until a node that nobody wakes looks at its clock."""
_PATIENCE: Final = 120.0


def settings() -> Settings:
    """A machine is made for many payments: what is measured is not how it is renewed. No row of a
    payment is forgotten, or the audit could not count them."""
    return Settings(ahead=10_000, repeat=Seconds(2), most_incomes=10**9)


def hub_policy() -> Policy:
    """A hub that takes everybody, for nothing."""
    return Policy(greatest_deposit=Wei(10**30), hub=HubPolicy(greatest_draw=Wei(10**30)))


class Wallet(Player):
    """One of the crowd: its store outlives its node."""

    memory: CountingMemory | None = None

    def open_store(self) -> CountingMemory:
        """See `Player`."""
        self.memory = self.memory or CountingMemory()
        return self.memory


def begin_stage(folder: Path, wallets: int) -> Stage:
    """A hub with its store in `folder`, and wallets that have a funded channel with it.

    Everybody is in this process and hands over bytes; later the hub lives in another one.
    """
    stage = Stage(folder, settings())
    hub = stage.enter(Player(HUB, stage, hub_policy()))
    crowd = [
        stage.enter(Wallet(f"wallet {number}", stage, Policy(greatest_deposit=Wei(10**30))))
        for number in range(wallets)
    ]
    for start in range(0, wallets, _OFFERS):
        some = crowd[start : start + _OFFERS]
        for wallet in some:
            nonce = Nonce(int.from_bytes(wallet.random()[:8], "big"))
            terms = (hub.key.address, ETH, _CHALLENGE, nonce, DEPOSIT, DEPOSIT)
            wallet.do([CommandOffer(hub.peer, *terms)])
        stage.settle(lambda some=some: all(_is_funded(one) for one in some))  # type: ignore[misc]
    return stage


def _is_funded(wallet: Player) -> bool:
    views = wallet.node.books.channels.values()
    return any((view.final.alice, view.final.bob) == (DEPOSIT, DEPOSIT) for view in views)


# ------------------------------------------------------------------------------------- sockets


class ManySockets(LocalNetwork):
    """Links and sessions of many nodes, in the event loop that is running."""

    def __init__(
        self, keys: dict[PeerId, SecretKey], hello: Hello, sockets: Callable[[], WebSockets]
    ) -> None:
        super().__init__()
        self._keys, self._hello, self._sockets = keys, hello, sockets
        self.exchanges: dict[PeerId, Exchange] = {}

    def enter(self, party: Member) -> _End:  # type: ignore[override]
        """See `perun.ports.Network`; nothing is opened before `open`."""
        exchange = Exchange(
            self._keys[party.peer],
            self._hello,
            party,
            self._sockets(),
            admits=lambda _peer, _token: True,
        )
        self.exchanges[party.peer] = exchange
        return _End(exchange)

    def leave(self, peer: PeerId) -> None:
        """See `LocalNetwork`; `close` ends them all."""

    async def open(self, hub: PeerId, host: str) -> None:
        """Everybody attaches at the hub, and calls it."""
        for exchange in self.exchanges.values():
            await exchange.open()
            exchange.reach(hub, host)

    async def close(self) -> None:
        """Everybody leaves."""
        await asyncio.gather(*(exchange.close() for exchange in self.exchanges.values()))


@dataclass(frozen=True, slots=True)
class _End:
    """A node's wire."""

    exchange: Exchange

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """See `perun.ports.Wire`; called in the loop, as all here."""
        self.exchange.send(peer, frames, via)


class Turning:
    """Turns nodes in the event loop: whoever was woken, and everybody once a second."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._ready: deque[Node] = deque()
        self._waiting: set[int] = set()
        self._wanted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        for node in nodes:
            node.wake = partial(self._wake, node)
        self._tasks = [asyncio.create_task(self._turn()), asyncio.create_task(self._sweep())]

    def _wake(self, node: Node) -> None:
        if id(node) not in self._waiting:
            self._waiting.add(id(node))
            self._ready.append(node)
            self._wanted.set()

    async def _turn(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            # As many as there are now; then the sockets have their turn.
            for _ in range(len(self._ready)):
                node = self._ready.popleft()
                self._waiting.discard(id(node))
                node.turn()
                if node.busy:
                    self._wake(node)
            await asyncio.sleep(0)

    async def _sweep(self) -> None:
        while True:
            for place, node in enumerate(self._nodes):
                self._wake(node)
                if place % 50 == 0:
                    await asyncio.sleep(_SWEEP * 50 / len(self._nodes))

    def stop(self) -> None:
        """Nobody turns any more."""
        for task in self._tasks:
            task.cancel()

    def check(self) -> None:
        """Raises what ended one of the tasks."""
        for task in self._tasks:
            if task.done():
                task.result()


# ------------------------------------------------------------------------------------ the load


@dataclass(slots=True)
class Pair:
    """One wallet that pays another, a payment at a time."""

    payer: Player
    payee: Player
    paid: int = 0
    latencies: list[float] = field(default_factory=list)
    is_open: bool = False


class Crowd:
    """The wallets, from the first link to the audit."""

    def __init__(self, stage: Stage) -> None:
        hub, *self.wallets = stage.players
        self.stage, self.hub = stage, hub.peer
        self.pairs = [
            Pair(payer, payee)
            for payer, payee in zip(self.wallets[::2], self.wallets[1::2], strict=True)
        ]
        self._until = 0.0
        self._keys = 0
        self.refused: list[object] = []
        self.failed: list[object] = []
        """Payments that say that nothing was paid: nobody has signed what they needed in time."""

    async def connect(
        self, host: str, hello: Hello, sockets: Callable[[], WebSockets] = WebSockets
    ) -> float:
        """Everybody dials the hub and meets it; how long that took, in seconds."""
        keys = {wallet.peer: wallet.key for wallet in self.wallets}
        self.stage.network = self.sockets = ManySockets(keys, hello, sockets)
        for wallet in self.wallets:
            wallet.reboot()
        self.turning = Turning([wallet.node for wallet in self.wallets])
        start = time.perf_counter()
        await self.sockets.open(self.hub, host)
        await self.until(self.all_met)
        return time.perf_counter() - start

    def all_met(self) -> bool:
        """Whether the hub has shown everybody its newest state."""
        return all(
            view.met for wallet in self.wallets for view in wallet.node.books.channels.values()
        )

    def all_linked(self) -> bool:
        """Whether everybody is attached at the hub and has a session with it."""
        return all(
            exchange.sessions.is_open(self.hub) for exchange in self.sockets.exchanges.values()
        )

    async def until(self, question: Callable[[], bool]) -> None:
        """Waits; nodes work meanwhile."""
        end = time.monotonic() + _PATIENCE
        while not question():
            self.turning.check()
            if time.monotonic() > end:
                raise AssertionError(f"it never happened: {self.describe()}")
            await asyncio.sleep(0.01)

    def describe(self) -> str:
        """What is not as it should be."""
        met = sum(view.met for it in self.wallets for view in it.node.books.channels.values())
        under_way = [pair for pair in self.pairs if pair.is_open]
        steps = [
            (row.step.name, row.why)
            for pair in under_way[:3]
            for row in pair.payer.app.shelf.payments.opened()  # type: ignore[union-attr]
        ]
        faults = [fault for wallet in self.wallets for fault in wallet.faults][:3]
        return f"{met} met, {len(under_way)} open, {steps}, {self.refused[:3]}, {faults}"

    def begin(self, pair: Pair) -> None:
        """One payment, and while there is time another after it."""
        self._keys += 1
        pair.is_open = True
        begun, to = time.perf_counter(), show_node_id(pair.payee.peer)
        wish = Pay(idempotency_key=f"load {self._keys}", to=to, amount="1", wait=600)
        pair.payer.node.ask(Ask("pay", wish, lambda answer: self._answered(pair, begun, answer)))

    def _answered(self, pair: Pair, begun: float, answer: Any) -> None:
        pair.is_open = False
        now = time.perf_counter()
        if isinstance(answer, Exception) or answer.step not in ("done", "failed"):
            self.refused.append(answer)
            return
        if answer.step == "failed":
            self.failed.append(answer)
        else:
            pair.paid += 1
            pair.latencies.append(now - begun)
        if now < self._until:
            self.begin(pair)

    async def pay(self, pairs: Sequence[Pair], seconds: float) -> float:
        """Each has one under way for so long; returns how long it took until none was."""
        start = time.perf_counter()
        self._until = start + seconds
        for pair in pairs:
            pair.latencies = []
            self.begin(pair)
        await self.until(lambda: not any(pair.is_open for pair in pairs))
        return time.perf_counter() - start

    def stop_paying(self) -> None:
        """What is under way ends, and begins nothing."""
        self._until = 0.0

    async def catch_up(self) -> None:
        """A block, so that nobody's view gets too old; everybody looks at it."""
        self.stage.mine()
        await self.until(
            lambda: (
                not any(
                    wallet.node.books.chain.head_number < self.stage.ledger.number
                    for wallet in self.wallets
                )
            )
        )

    async def leave(self) -> None:
        """Everybody closes its links."""
        await self.sockets.close()
        self.turning.stop()

    def audit(self, hub_store: KeptStore, *, failing: bool = False) -> int:
        """Compares all that both sides of every channel and machine know; the sum that was paid.

        Args:
            hub_store: opened after the hub's end; closed here.
            failing: payments may have failed, if they have not moved a wei.

        Raises:
            AssertionError: anybody knows of a wei more or less than the other.
        """
        wrong = self.refused if failing else self.refused + self.failed
        if wrong:
            raise AssertionError(f"{len(wrong)} payments failed: {wrong[0]}")
        _check_hub(hub_store, self.wallets)
        for pair in self.pairs:
            sent = _sum(pair.payer, "sent")
            received = _sum(pair.payee, "received")
            rows = sum(
                row.last - row.first
                for row in pair.payee.app.shelf.incomes.newest(pair.payee.store)  # type: ignore[union-attr]
            )
            if not pair.paid == sent == received == rows:
                raise AssertionError(f"{pair.paid} paid: {sent} sent, {received} received, {rows}")
        return sum(pair.paid for pair in self.pairs)


def _sum(player: Player, field: str) -> int:
    return sum(getattr(totals, field) for totals in player.node.books.totals.values())


def _check_hub(store: KeptStore, wallets: Sequence[Player]) -> None:
    """The hub's store and the wallets' books say the same of each channel."""
    try:
        rows = {row.id: row for row in store.records() if isinstance(row, ChannelView)}
    finally:
        store.close()
    free = 0
    legs: Counter[bytes] = Counter()
    for wallet in wallets:
        for id, view in wallet.node.books.channels.items():
            net, nanos = agreed_content(view)
            theirs = agreed_content(rows[id])
            if (net, nanos) != theirs:
                raise AssertionError(f"{wallet.name}: {(net, nanos)}, the hub: {theirs}")
            free += net
            legs.update(nano.id for nano in nanos)
    if free:
        raise AssertionError(f"the hub has moved {free} wei without machines")
    if set(legs.values()) - {2}:
        raise AssertionError("the hub has a machine with one leg")
