"""Payments as fast as they go, with so many under way: each that is delivered begins another.

A payment's time runs from the command of the payer's user to the notice that the payee has it on
disk, so it holds one signature, one verification and a durable record on each side. Where the
program above is asked, it runs to the answer that the payee has the note, too.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.players import Player, wait
from perun.app.methods import Pay
from perun.app.work import Ask
from perun.core.inputs import CommandPay
from perun.core.notices import Notice, PaymentDelivered, PaymentReceived
from perun.core.state import PeerId
from perun.encoding.addresses import show_node_id
from perun.types import InstanceId, MachineId, Wei

__all__ = ["Asking", "Load", "Paid", "Payments"]

ONE = Wei(1)


@dataclass(frozen=True, slots=True)
class Paid:
    """One stretch of paying."""

    payments: int
    seconds: float
    cpu_seconds: float
    """Of the whole process."""
    latencies: tuple[float, ...]
    """Seconds, sorted."""


class Load(ABC):
    """Something that `payer` asks for again and again, so many under way at once."""

    def __init__(
        self, payer: Player, payee: Player | None = None, lines: int = 1, each: int = 1
    ) -> None:
        """Args:
        payee: None if it lives in another process, or its faults are not looked at.
        lines: in how many so many are under way at once.
        each: payments in one that is asked for.
        """
        self.payer = payer
        self.players = (payer,) if payee is None else (payer, payee)
        self._latencies: list[float] = []
        self._until = self._ended = 0.0
        self._lines, self.each = lines, each
        self._open = 0
        self._done = threading.Event()

    @abstractmethod
    def _begin(self, under_way: int) -> None:
        """Asks for the first ones."""

    def _goes_on(self, now: float, done: int = 1) -> bool:
        """Some are done: whether as many are to begin now. After the last of all `run` goes on.

        The payer's thread looks at the clock: another may be woken late under full load.
        """
        if now < self._until:
            return True
        self._open -= done
        if not self._open:
            self._ended = now
            self._done.set()
        return False

    def run(self, seconds: float, under_way: int) -> Paid:
        """Asks for a while, then waits until all that was begun is done."""
        self.payer.stage.catch_up()
        self._latencies = []
        self._done.clear()
        start, cpu = time.perf_counter(), time.process_time()
        self._until = start + seconds
        self._open = under_way * self._lines
        self._begin(under_way)
        wait(self._done, self.players)
        taken, cpu = self._ended - start, time.process_time() - cpu
        payments = len(self._latencies) * self.each
        return Paid(payments, taken, cpu, tuple(sorted(self._latencies)))


class Asking(Load):
    """Payments by the program above: a key each, a note, rows on both sides, and an answer."""

    def __init__(self, payer: Player, payee: PeerId) -> None:
        super().__init__(payer)
        self._to = show_node_id(payee)
        self._keys = itertools.count()
        self._run = payer.random().hex()[:16]
        self.delivered = 0

    def _begin(self, under_way: int) -> None:
        for _ in range(under_way):
            self._ask()

    def _ask(self) -> None:
        key, begun = f"{self._run} {next(self._keys)}", time.perf_counter()
        wish = Pay(idempotency_key=key, to=self._to, amount="1", wait=60)
        self.payer.node.ask(Ask("pay", wish, lambda answer: self._answered(begun, answer)))

    def _answered(self, begun: float, answer: Any) -> None:
        if isinstance(answer, Exception) or answer.step != "done":
            self.payer.faults.append((answer, RuntimeError("a payment was not done")))
            return
        now = time.perf_counter()
        self.delivered += 1
        self._latencies.append(now - begun)
        if self._goes_on(now):
            self._ask()


class Payments(Load):
    """`payer` pays 1 wei at a time in `machines`, in an order drawn once, to `payee`."""

    def __init__(self, payer: Player, payee: Player | None, machines: Sequence[InstanceId]) -> None:
        super().__init__(payer, payee)
        commands = [CommandPay(MachineId(id), ONE) for id in machines]
        random.Random(len(commands)).shuffle(commands)
        self._order = itertools.cycle(commands)
        self._begun: dict[bytes, deque[float]] = {id: deque() for id in machines}
        self._totals: dict[bytes, int] = dict.fromkeys(machines, 0)
        """Up to which the payee has said it has them."""
        self.received = 0
        """Payments that the payee's user was told of."""
        self.delivered = 0
        payer.hear = self._on_payer
        if payee is not None:
            payee.hear = self._on_payee

    def _on_payee(self, notice: Notice) -> None:
        if type(notice) is PaymentReceived:
            self.received += notice.amount

    def _on_payer(self, notice: Notice) -> None:
        if type(notice) is not PaymentDelivered:
            return
        # Each payment is 1 wei; one notice may be of several.
        for _ in range(notice.total - self._totals[notice.machine]):
            self._on_delivered(self._begun[notice.machine].popleft())
        self._totals[notice.machine] = notice.total

    def _on_delivered(self, begun: float) -> None:
        now = time.perf_counter()
        self.delivered += 1
        self._latencies.append(now - begun)
        if self._goes_on(now):
            command = next(self._order)
            self._begun[command.machine].append(now)
            self.payer.node.post((command,))

    def _begin(self, under_way: int) -> None:
        first, now = list(itertools.islice(self._order, under_way)), time.perf_counter()
        for command in first:
            self._begun[command.machine].append(now)
        self.payer.node.post(first)
