"""Whatever one answer of a node is turned into, for good: an old registration is answered, or our
user is told. Nothing ends the port, and nothing is paid without end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
from msgspec.structs import replace

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Access
from perun.bindings.failures import Garbled, NodeBusy, NodeRefused, NodeUnreachable, PoolRefused
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Mined
from perun.chain.reports import (
    Blind,
    Disagreement,
    Dropped,
    FinalityBroken,
    LeftLying,
    NonceTaken,
    NotTaken,
    Refused,
    Sent,
    Stopped,
    TooDear,
    TooPoor,
)
from perun.core.chain_view import Dispute
from perun.core.inputs import ChainChannel
from perun.errors import ChainFault
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH
from tests.node.chain.conftest import ALICE, BOB, Site

LOUD: Final = (
    *(Blind, Disagreement, Dropped, FinalityBroken, LeftLying, NonceTaken),
    *(NotTaken, Refused, Stopped, TooDear, TooPoor),
)
BLOCKS: Final = 24
MOST_SENT: Final = 20

Lie = Callable[[Any, Site], Any]
"""A method in place of the true one."""


def raises(fault: Exception) -> Lie:
    def lie(_: Any, __: Site) -> Any:
        def method(*_: Any, **__: Any) -> Any:
            raise fault

        return method

    return lie


def now_and_then(fault: Exception) -> Lie:
    def lie(true: Any, _: Site) -> Any:
        asked = itertools.count()

        def method(*given: Any, **named: Any) -> Any:
            if next(asked) % 2:
                raise fault
            return true(*given, **named)

        return method

    return lie


def says(answer: Any) -> Lie:
    return lambda _, __: lambda *_, **__: answer


def turns(change: Callable[[Any], Any]) -> Lie:
    return lambda true, _: lambda *given, **named: change(true(*given, **named))


def newest(change: Callable[[Any], Any]) -> Lie:
    return lambda true, _: (
        lambda number=None: true(number) if number is not None else change(true())
    )


def behind(blocks: int) -> Lie:
    def lie(true: Any, site: Site) -> Any:
        def block(number: int | None = None) -> Any:
            last = max(0, site.chain.head.number - blocks)
            number = last if number is None else number
            return true(number) if number <= last else None

        return block

    return lie


def counts(change: int, *, pool: bool, mined: bool) -> Lie:
    return lambda true, _: (
        lambda account, number=None: max(
            0, true(account, number) + (change if (pool if number is None else mined) else 0)
        )
    )


def receipt(block: int, *, succeeded: bool) -> Lie:
    return says(None) if block < 0 else lambda _, __: lambda h: Mined(h, block, succeeded, 1, 0)  # type: ignore[arg-type]


def each(change: Callable[[Any], Any]) -> Lie:
    return turns(lambda logs: tuple(map(change, logs)))


FAULTS = (
    NodeBusy("rate limited"),
    NodeRefused("method not found"),
    NodeUnreachable("Timeout"),
    Garbled("nonsense"),
)
METHODS = (
    *("block", "finalized", "logs", "logs_of", "ask", "chain_now", "next_nonce", "balance"),
    *("tip", "estimate", "touched", "send", "mined"),
)
POOLS = (
    *("already known", "nonce too low", "replacement transaction underpriced", "unknown", ""),
    *("insufficient funds for gas", "tx fee exceeds the cap", "exceeds block gas limit"),
    *("transaction type not supported", "max fee per gas less than block base fee"),
)
LIES: dict[str, tuple[str, Lie]] = {
    **{f"{m} {f.reason}": (m, raises(f)) for m in METHODS for f in FAULTS},
    **{f"{m} now and then": (m, now_and_then(FAULTS[0])) for m in METHODS},
    **{f"pool {words}": ("send", raises(PoolRefused(words))) for words in POOLS},
    **{f"behind {blocks}": ("block", behind(blocks)) for blocks in (1, 3, 5)},
    **{f"balance {wei}": ("balance", says(wei)) for wei in (0, 1, 10**13, 2**200)},
    **{f"tip {wei}": ("tip", says(wei)) for wei in (0, 1, 2**62, 2**255)},
    **{f"estimate {gas}": ("estimate", says(gas)) for gas in (0, 1, 21_000, 10**9, 2**64)},
    **{f"mined {more:+}": ("next_nonce", counts(more, pool=False, mined=True)) for more in (-9, 1)},
    **{f"pool {n:+}": ("next_nonce", counts(n, pool=True, mined=False)) for n in (-9, 1, 65, 9**9)},
    **{f"both {n:+}": ("next_nonce", counts(n, pool=True, mined=True)) for n in (-9, 1, 70, 9**9)},
    "no block": ("block", newest(lambda _: None)),
    "another hash": ("block", newest(lambda block: replace(block, hash=b"\x66" * 32))),
    "time 0": ("block", newest(lambda block: replace(block, time=0))),
    "far future": ("block", newest(lambda block: replace(block, time=2**40))),
    "block 0": ("block", newest(lambda block: replace(block, number=0))),
    "one too high": ("block", newest(lambda block: replace(block, number=block.number + 1))),
    "one too low": ("block", newest(lambda block: replace(block, number=block.number - 1))),
    "dear": ("block", newest(lambda block: replace(block, base_fee=2**62))),
    "free": ("block", newest(lambda block: replace(block, base_fee=0))),
    "no logs": ("logs", says(())),
    "backwards": ("logs", turns(lambda logs: logs[::-1])),
    "twice": ("logs", turns(lambda logs: logs + logs)),
    "without the newest": ("logs", turns(lambda logs: logs[:-1])),
    "of another block": ("logs", each(lambda log: replace(log, block_hash=b"\x55" * 32))),
    "without topics": ("logs", each(lambda log: replace(log, topics=()))),
    "cut": ("logs", each(lambda log: replace(log, data=log.data[:-5]))),
    "all ones": ("logs", each(lambda log: replace(log, data=b"\xff" * len(log.data)))),
    "of strangers": ("logs", each(lambda log: replace(log, address=b"\x11" * 20))),
    "empty storage": ("ask", lambda _, __: lambda query, ___: query.decode(bytes(160))),
    "old storage": ("ask", lambda true, _: lambda query, n: true(query, max(0, n - 8))),
    "another chain": ("chain_now", says(5)),
    "always reverts": ("estimate", raises(Reverted())),
    "touches all": (
        "touched",
        says(tuple(Access(bytes([n]) * 20, (bytes(32),) * 9) for n in range(90))),  # type: ignore[arg-type]
    ),
    "swallows": ("send", says(None)),
    "no receipt": ("mined", receipt(-1, succeeded=True)),
    "old receipt": ("mined", receipt(1, succeeded=True)),
    "failed receipt": ("mined", receipt(1, succeeded=False)),
    "receipt to come": ("mined", receipt(10**9, succeeded=True)),
}


@pytest.mark.parametrize("late", [False, True], ids=["from the start", "later"])
@pytest.mark.parametrize("name", LIES)
def test_is_answered_or_told(site: Site, name: str, late: bool) -> None:
    site.open(ALICE, 100)
    site.chain.mine()
    watcher = site.watcher(BOB)
    clock = itertools.count(0, 6)  # Seconds: two rounds a block.
    watcher.port.sight._clock = lambda: float(next(clock))
    watcher.port.watch(site.watch)
    method, lie = LIES[name]
    seen: Dispute | None = None

    def bend() -> None:
        setattr(watcher.endpoint, method, lie(getattr(watcher.endpoint, method), site))

    def look() -> None:
        nonlocal seen
        with suppress(ChainFault):
            watcher.poll()
        for it in watcher.inputs:
            if isinstance(it, ChainChannel):
                seen = it.head.dispute

    if not late:
        bend()
    for _ in range(3):
        look()
        site.chain.mine()
    if late:
        bend()
    site.act(ALICE, site.call(site.register(1)))
    for _ in range(BLOCKS):
        look()
        if seen is not None and seen.version < 2:
            watcher.port.submit(site.register(2))
            look()
        site.chain.mine()
    query = ms_contract_calls.dispute(site.deployment.contract.contract, ETH, site.id)
    answered = ScriptedEndpoint(site.chain).ask(query, site.chain.head.number).version == 2
    assert answered or any(isinstance(report, LOUD) for report in watcher.reports)
    assert len(watcher.of(Sent)) <= MOST_SENT
