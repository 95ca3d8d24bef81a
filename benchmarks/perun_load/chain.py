"""One chain for several processes: each has a ledger of its own, and all apply the same blocks.

The process in the middle collects what is submitted, and tells everybody the next block; the model
of the contracts does the same with it everywhere.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.players import Player, Stage
from perun.app.settings import Settings as AppSettings
from perun.core.effects import Submit, Transaction
from perun.testing.ledger import Ledger, LedgerChain
from perun.types import Address, UnixTime

__all__ = ["Block", "Miner", "OnShared", "Pipe", "SharedStage", "Start"]


class Block(NamedTuple):
    """What is in a block, and how much time passes with it."""

    seconds: int
    skipped: int
    """Seconds that pass for all clocks, and for nobody who waits."""
    transactions: tuple[tuple[Address, Transaction], ...]

    def apply(self, ledger: Ledger) -> None:
        """What has been overtaken does nothing."""
        for sender, transaction in self.transactions:
            ledger.apply(transaction, sender)
        ledger.advance(self.seconds)


@dataclass(frozen=True, slots=True)
class Start:
    """What a process must know of the chain when it begins."""

    ledger: Ledger
    time: UnixTime
    since: float
    """When it was that time, by the monotonic clock that all processes of a machine share."""


class Pipe:
    """To the process in the middle; any thread may say something."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._mutex = threading.Lock()

    def say(self, *what: Any) -> None:
        """A message."""
        with self._mutex:
            self.connection.send(what)


class _Chain(LedgerChain):
    """Has what it submits mined in the middle."""

    pipe: Pipe

    def submit(self, submit: Submit) -> None:
        """See `LedgerChain`; asking twice does nothing twice."""
        known = submit.key in self.pool
        super().submit(submit)
        if not known:
            self.pipe.say("submit", self.account, submit.transaction)

    def mine(self) -> None:
        """It is in the next block, or was overtaken."""
        self.pool.clear()


class OnShared(Player):
    """One whose chain is shared."""

    stage: SharedStage

    def make_chain(self) -> LedgerChain:
        """See `Player`."""
        chain = _Chain(self.stage.ledger, self.key.address)
        chain.pipe = self.stage.pipe
        return chain


class SharedStage(Stage):
    """One process's part of it."""

    def __init__(self, pipe: Pipe, start: Start, folder: Path, apps: AppSettings) -> None:
        super().__init__(folder, apps)
        self.pipe, self.ledger = pipe, start.ledger
        self.clock = type(self.clock)(start.time, start.since)

    def take(self, block: Block) -> None:
        """The next block."""
        self.clock.skip(block.skipped)
        block.apply(self.ledger)


class Miner:
    """In the middle."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._time, self._since = ledger.time, time.monotonic()
        self._pool: list[tuple[Address, Transaction]] = []

    def submit(self, sender: Address, transaction: Transaction) -> None:
        """Comes into the next block."""
        self._pool.append((sender, transaction))

    def start(self) -> Start:
        """For another process; before the first block."""
        return Start(self.ledger, self._time, self._since)

    def mine(self, skipped: int = 0) -> Block:
        """The next block.

        Args:
            skipped: seconds that nobody waits for.
        """
        self._time = UnixTime(self._time + skipped)
        now = self._time + int(time.monotonic() - self._since)
        block = Block(max(1, now - self.ledger.time), skipped, tuple(self._pool))
        self._pool.clear()
        block.apply(self.ledger)
        return block
