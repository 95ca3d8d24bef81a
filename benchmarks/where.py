"""Where the microseconds of a payment go: its parts one by one, on one thread, and what is left.

Each part is the very function that a payment calls, called by itself in a loop on the records of
two nodes that have just paid each other; times are those of the thread, not of the clock on the
wall. A sampling or tracing profiler would charge its own cost to the small functions most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from benchmarks.payments import Pair
from benchmarks.report import Figure, Result, median
from perun.core.effects import Sign, SignItem
from perun.core.inputs import CommandPay, Received, Signed
from perun.core.state import Totals
from perun.core.step import step
from perun.crypto.backend import native as secp256k1
from perun.encoding.machine import (
    statement_digest,
)
from perun.encoding.messages import Paid, Pay, decode, encode
from perun.store.tables import TABLES
from perun.types import MachineId, Statement, Wei

__all__ = ["where"]

_GROUP = 100


def where(folder: Path, seconds: float = 3.0, times: int = 2_000) -> Result:
    """The parts of a payment."""
    pair = Pair(folder, _GROUP)
    alice, bob = pair.alice, pair.bob
    with pair.stage.playing():
        pair.load.run(seconds / 6, _GROUP)
        whole = median(
            paid.cpu_seconds / paid.payments * 1e6
            for paid in (pair.load.run(seconds / 6, _GROUP) for _ in range(5))
        )
        store = alice.store
        deployment, books = alice.node.books.config.deployment, alice.node.books
        machine = MachineId(next(iter(books.instances)))
        view = books.instances[machine].machine
        assert view is not None
        statement = Statement(machine, Wei(books.totals[machine].asked + 1))
        digest = statement_digest(deployment.vpm, statement)
        wish = Sign((SignItem(view.alice, statement),))
        signature = alice.signer.sign(wish)[0]
        pay, paid_ = (
            Pay(machine, statement.paid, signature),
            Paid(machine, books.totals[machine].sent),
        )
        command, bytes_ = CommandPay(machine, Wei(1)), (encode(pay), encode(paid_))
        rows = [books.totals[id] for id in list(books.totals)[:_GROUP]]
        codec = TABLES[Totals].codec
        parsed, rs = alice.key.public_key.parsed, signature[:64]
        received, answered = Received(alice.peer, pay), Received(bob.peer, paid_)

        def write() -> None:
            nonlocal rows
            rows = [replace(row, asked=Wei(row.asked + 1)) for row in rows]
            store.write(rows)

        def each(function: Callable[[], object], count: int = times) -> float:
            """Microseconds of one call: the median of five loops."""
            taken = []
            for _ in range(5):
                start = time.thread_time()
                for _ in range(count // 5):
                    function()
                taken.append((time.thread_time() - start) / (count // 5) * 1e6)
            return median(taken)

        # Each part on its own, all of them before the books are changed.
        signing = each(lambda: secp256k1.sign(digest, alice.key.secret).done())
        verifying = each(lambda: secp256k1.verify(digest, rs, parsed).done())
        hashing = each(lambda: statement_digest(deployment.vpm, statement))
        packing = (
            each(lambda: encode(pay))
            + each(lambda: decode(bytes_[0]))
            + each(lambda: encode(paid_))
            + each(lambda: decode(bytes_[1]))
        )
        row_packing = 2 * each(lambda: codec.encode(rows[0]))
        writing = 2 * each(write, max(5, times // 8)) / _GROUP - row_packing
        steps = (
            each(lambda: step(books, command))
            + (each(lambda: step(bob.node.books, received)) - verifying - hashing)
            + each(lambda: step(books, answered))
        )
        books.apply(step(books, command))
        signed = Signed(wish, (signature,))
        steps += each(lambda: step(books, signed))
    parts = {
        "sign": signing,
        "verify": verifying,
        "EIP-712 digests, 2": 2 * hashing,
        "messages, 2 written and read": packing,
        "rows, 2 encoded": row_packing,
        f"SQLite, 2 rows in groups of {_GROUP}": writing,
        "core: 4 steps": steps,
    }
    rest = whole - sum(parts.values())
    figures = [Figure(name, value, "µs") for name, value in parts.items()]
    figures.append(Figure("runtime, wallet, wire, threads, the load itself", rest, "µs"))
    figures.append(Figure("whole payment", whole, "µs"))
    return Result("where", "Where the processor's time for one payment goes", tuple(figures))
