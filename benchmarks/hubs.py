"""Payments over one, two and three hubs in a row: what each hub computes for them.

All nodes are in this process and hand over bytes, each with its store on disk; whoever has
something to do is turned, and its processor time is counted for it. So the figures say how much
signing one operator gets by several hubs, each on a core of its own, and not how long a network
takes.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.load_network import hub_policy, settings
from benchmarks.players import Player, Stage
from benchmarks.report import Figure, Result, percentile
from perun.app.app import App
from perun.app.beside import Beside
from perun.app.methods import Pay
from perun.app.routes import Paths
from perun.app.work import Ask
from perun.core.config import Policy
from perun.encoding.addresses import show_node_id
from perun.randomness import new_salt
from perun.types import ETH, Wei

__all__ = ["hubs"]

_LENGTHS: Final = (1, 2, 3)
_MOST_TURNS: Final = 1_000_000


class _Walker(Player):
    """Somebody who knows paths over several hubs, as after reading cards."""

    def make_app(self) -> App:
        """See `Player`."""
        assert self.stage.apps is not None
        self.paths = Paths()
        return App(self.stage.apps, new_salt, beside=Beside(path=self.paths.to))


class _Row:
    """Payers at the first of some hubs, and as many payees at the last."""

    def __init__(self, folder: Path, hubs: int, pairs: int) -> None:
        self.stage = Stage(folder, settings())
        wide = Policy(greatest_deposit=Wei(10**30))
        self.hubs = [
            self.stage.enter(Player(f"hub {number}", self.stage, hub_policy()))
            for number in range(hubs)
        ]
        for one, other in zip(self.hubs, self.hubs[1:]):  # noqa: B905
            self._channel(other, one)
        self.pairs: list[tuple[_Walker, Player]] = []
        path = tuple(hub.peer for hub in self.hubs)
        for number in range(pairs):
            payer = self.stage.enter(_Walker(f"payer {number}", self.stage, wide))
            payee = self.stage.enter(Player(f"payee {number}", self.stage, wide))
            self._channel(payer, self.hubs[0])
            self._channel(payee, self.hubs[-1])
            payer.paths.know(payee.peer, path)
            self.pairs.append((payer, payee))
        self.cpu: dict[str, float] = defaultdict(float)
        self._keys = 0

    def _channel(self, one: Player, other: Player) -> None:
        self.stage.channels(one, other, [ETH])
        # Blocks come as fast as they can; clocks that stayed behind would doubt them.
        self.stage.clock.skip(max(0, self.stage.ledger.time - self.stage.clock.now()))

    def pay(self, each: int) -> list[float]:
        """All pairs at once, one payment of each under way; seconds that each took."""
        took: list[float] = []
        left = Counter({payer.name: each for payer, _ in self.pairs})

        def begin(payer: _Walker, payee: Player) -> None:
            self._keys += 1
            left[payer.name] -= 1
            to, begun = show_node_id(payee.peer), time.perf_counter()
            wish = Pay(idempotency_key=f"over {self._keys}", to=to, amount="1", wait=600)
            payer.node.ask(Ask("pay", wish, partial(answered, payer, payee, begun)))

        def answered(payer: _Walker, payee: Player, begun: float, answer: Any) -> None:
            if isinstance(answer, Exception) or answer.step != "done":
                raise AssertionError(f"a payment was not done: {answer}")
            took.append(time.perf_counter() - begun)
            if left[payer.name]:
                begin(payer, payee)

        for payer, payee in self.pairs:
            begin(payer, payee)
        for _ in range(_MOST_TURNS):
            if len(took) == each * len(self.pairs):
                return sorted(took)
            busy = [player for player in self.stage.players if player.node.busy]
            for player in busy:
                before = time.thread_time()
                player.node.turn()
                self.cpu[player.name] += time.thread_time() - before
            if not busy:
                self.stage.ledger.advance(1, 1)
        raise AssertionError("they are never paid")

    def of_hubs(self) -> float:
        """Seconds of the processor, of the busiest hub since this was last asked."""
        found = max(self.cpu[hub.name] for hub in self.hubs)
        self.cpu.clear()
        return found

    def audit(self) -> int:
        """Wei that payees have; raises if a payer knows of another sum, or a hub has won."""
        for payer, payee in self.pairs:
            sent = sum(totals.sent for totals in payer.node.books.totals.values())
            received = sum(totals.received for totals in payee.node.books.totals.values())
            if sent != received:
                raise AssertionError(f"{payer.name}: {sent} sent, {received} received")
        return sum(
            totals.received
            for _, payee in self.pairs
            for totals in payee.node.books.totals.values()
        )


def hubs(folder: Path, seconds: float = 5.0, pairs: int = 16) -> Result:
    """For each length of the row; `seconds` says how many payments there are, about."""
    figures: list[Figure] = []
    for length in _LENGTHS:
        home = folder / str(length)
        home.mkdir()
        row = _Row(home, length, pairs)
        start = time.perf_counter()
        first = row.pay(1)
        opening, opened = row.of_hubs(), time.perf_counter() - start
        each = max(1, int(100 * seconds))
        start = time.perf_counter()
        more = row.pay(each)
        taken, paying = time.perf_counter() - start, row.of_hubs()
        name = f"{length} hub{'s' * (length > 1)}"
        figures += [
            Figure(f"{name}: openings", pairs / opened, "/s, first payment and all"),
            Figure(f"{name}: an opening", opening / pairs * 1e3, "ms of the busiest hub"),
            Figure(f"{name}: first payment, p50", percentile(first, 0.5) * 1e3, "ms"),
            Figure(f"{name}: payments", len(more) / taken, "/s"),
            Figure(f"{name}: a payment", paying / len(more) * 1e6, "µs of the busiest hub"),
            Figure(f"{name}: payment, p50", percentile(more, 0.5) * 1e3, "ms"),
            Figure(f"{name}: audited", row.audit(), "wei"),
        ]
        for player in row.stage.players:
            player.stop()
    return Result("hubs", f"Payments over several hubs, {pairs} pairs, one process", tuple(figures))
