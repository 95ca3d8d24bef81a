"""A process with many wallets: each has keys, rows, notes and a link of its own.

All of them share one thread and one event loop, and their stores are in memory: what is loaded is
the hub, and whatever stands before it.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks.load_network import ManySockets, Turning, settings
from benchmarks.perun_load.acts import Acting, Done
from benchmarks.perun_load.chain import OnShared, Pipe, SharedStage, Start
from benchmarks.players import CountingMemory, key_named
from benchmarks.processes import HELLO
from perun.app.rows import Step
from perun.core.config import Policy
from perun.core.state import ChannelView, PeerId
from perun.node.settings import peer_id
from perun.serving import room_for_files
from perun.types import Address, ChannelId, Wei
from perun.wire.sockets import Socket
from perun.wire.web_sockets import WebSockets

__all__ = ["Account", "LoadWallet", "Report", "Wallets", "wallets"]

_LOOK: Final = 0.05


class _Line(WebSockets):
    """Of one wallet; it can be cut, as by a network that is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.links = 0
        """So far."""
        self._file: Any = None

    @asynccontextmanager
    async def _connect(self, url: str) -> AsyncIterator[Socket]:
        async with super()._connect(url) as link:
            self.links += 1
            # Nobody else wants to pull the plug, so there is no other way to it.
            self._file = link._socket.get_extra_info("socket")  # type: ignore[attr-defined]
            yield link

    def cut(self) -> None:
        """Both ends find it broken."""
        if self._file is not None:
            with suppress(OSError), socket.socket(fileno=os.dup(self._file.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


class LoadWallet(OnShared):
    """One of them."""

    line: _Line
    exchange: Any

    def open_store(self) -> CountingMemory:
        """See `Player`."""
        return CountingMemory()

    def view(self, id: ChannelId) -> ChannelView:
        """A channel of its."""
        return self.node.books.channels[id]

    def channel(self) -> ChannelView | None:
        """The one that it can use, if any: funded, met, and nobody is leaving it."""
        for view in self.node.books.channels.values():
            if view.final.alice and view.final.bob and view.met and not _is_ending(view):
                return view
        return None

    def rest(self) -> list[ChannelView]:
        """Those that are not over on the chain."""
        views = self.node.books.channels.values()
        return [one for one in views if one.final.alice + one.final.bob and not one.final.ended]


def _is_ending(view: ChannelView) -> bool:
    on = view.head
    return on.ended or on.dispute is not None or view.leaving or view.close is not None


@dataclass(frozen=True, slots=True)
class Account:
    """What a wallet's rows say, in wei."""

    address: Address
    paid: int
    received: int
    left: int
    """Channels that are not over."""


@dataclass(frozen=True, slots=True)
class Report:
    """Of a process, at its end."""

    done: dict[str, Done]
    accounts: list[Account]
    refused: Counter[str]
    """What nodes refused of others, by kind: crossing and late words are, and do no harm."""


@dataclass(frozen=True, slots=True)
class Wallets:
    """What a process is told at its start."""

    start: Start
    hub: PeerId
    hosts: tuple[str, ...]
    names: tuple[str, ...]
    partners: Mapping[PeerId, tuple[PeerId, ...]]
    patience: float
    seed: int


class _Process:
    """It, while it lives."""

    def __init__(self, pipe: Pipe, what: Wallets) -> None:
        self._pipe, self._what = pipe, what
        self._mix: dict[str, float] = {}
        self._at_once = 0
        self._ended = asyncio.Event()

    async def live(self) -> None:
        """From the first link to the report."""
        what = self._what
        stage = self._stage = SharedStage(self._pipe, what.start, Path("/nonexistent"), settings())
        lines: list[_Line] = []

        def line() -> _Line:
            lines.append(_Line())
            return lines[-1]

        keys = {peer_id(key.public_key): key for key in map(key_named, what.names)}
        stage.network = sockets = ManySockets(keys, HELLO, line)
        self._wallets = [
            stage.enter(LoadWallet(name, stage, Policy(greatest_deposit=Wei(10**30))))
            for name in what.names
        ]
        for wallet, its in zip(self._wallets, lines, strict=True):
            wallet.line, wallet.exchange = its, sockets.exchanges[wallet.peer]
            wallet.node.start()
        dice = random.Random(what.seed)
        self._acting = Acting(self._wallets, what.hub, what.partners, what.patience, dice)
        turning = Turning([wallet.node for wallet in self._wallets])
        for place, wallet in enumerate(self._wallets):
            await wallet.exchange.open()
            wallet.exchange.reach(what.hub, what.hosts[place % len(what.hosts)])
        asyncio.get_running_loop().add_reader(self._pipe.connection.fileno(), self._hear)
        acting = asyncio.create_task(self._act(turning))
        await self._ended.wait()
        acting.cancel()
        await sockets.close()
        turning.stop()
        self._pipe.say("report", self._report())

    async def _act(self, turning: Turning) -> None:
        while True:
            turning.check()
            if self._mix:
                self._acting.draw(self._mix, self._at_once)
            busy = self._acting.look()
            linked = sum(one.exchange.sessions.is_open(self._what.hub) for one in self._wallets)
            self._pipe.say("busy", busy, linked, sum(len(one.rest()) for one in self._wallets))
            await asyncio.sleep(_LOOK)

    def _hear(self) -> None:
        while self._pipe.connection.poll():
            kind, *rest = self._pipe.connection.recv()
            if kind == "block":
                self._stage.take(rest[0])
            elif kind == "mix":
                self._mix, self._at_once = rest
            elif kind == "all":
                for wallet in self._wallets:
                    self._acting.begin(rest[0], wallet)
            elif kind == "end":
                self._ended.set()

    def _report(self) -> Report:
        refused = Counter(type(why).__name__ for one in self._wallets for _, why in one.faults)
        return Report(self._acting.done, [_account(one) for one in self._wallets], refused)


def _account(wallet: LoadWallet) -> Account:
    assert wallet.app is not None
    shelf = wallet.app.shelf
    payments = shelf.payments.newest(wallet.store)
    incomes = shelf.incomes.newest(wallet.store)
    return Account(
        wallet.key.address,
        sum(row.amount for row in payments if row.step is Step.DONE),
        sum(row.last - row.first for row in incomes),
        len(wallet.rest()),
    )


def wallets(connection: Connection, what: Wallets) -> None:
    """A process's work."""
    room_for_files(len(what.names))
    asyncio.run(_Process(Pipe(connection), what).live())
