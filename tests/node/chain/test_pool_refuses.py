"""A contract's refusal, a node's trouble and a pool's refusal are three things."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from perun.bindings.calls import Call, Fees
from perun.bindings.failures import NodeBusy, NodeUnreachable, PoolRefused
from perun.chain.fees import FeePolicy, lower_fees
from perun.chain.reports import Dropped, NonceTaken, NotTaken, Paid, Refused, Sent
from perun.errors import ChainFault
from perun.testing.pool import read
from perun.types import Wei
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Site, Watcher

BUSY = NodeBusy("daily request count exceeded")


def rounds(watcher: Watcher, count: int) -> None:
    for _ in range(count):
        with suppress(ChainFault):
            watcher.poll()
        watcher.site.chain.mine()


def pool(watcher: Watcher, why: Any) -> list[int]:
    """A pool that refuses in words for as long as `why` has some; the prices it was offered."""
    offered: list[int] = []
    true = type(watcher.endpoint).send

    def send(raw: bytes) -> None:
        offered.append(read(raw).most)
        reason = why(read(raw))
        if reason:
            raise PoolRefused(reason)
        true(watcher.endpoint, raw)

    watcher.endpoint.send = send  # type: ignore[method-assign]
    return offered


@pytest.mark.parametrize("fault", [BUSY, NodeUnreachable("ReadTimeout")], ids=["words", "time"])
def test_deposit_outlives_a_node_in_trouble(site: Site, fault: ChainFault) -> None:
    watcher = site.watcher()

    def estimate(*_: object) -> int:
        raise fault

    watcher.endpoint.estimate = estimate  # type: ignore[method-assign]
    watcher.port.submit(site.opening(70))
    rounds(watcher, 6)
    del watcher.endpoint.estimate
    rounds(watcher, 6)
    assert watcher.of(Dropped) == watcher.of(Refused) == []
    assert site.holdings() == (70, 0)
    assert len(watcher.of(Paid)) == 1


def test_without_any_estimate_gas_is_reckoned(site: Site) -> None:
    watcher = site.watcher()
    watcher.endpoint.estimate = lambda *_: (_ for _ in ()).throw(BUSY)  # type: ignore[method-assign]
    watcher.port.submit(site.opening(70))
    rounds(watcher, 8)
    assert site.holdings() == (70, 0)


def test_what_a_pool_does_not_take_is_told_once(site: Site) -> None:
    watcher = site.watcher()
    pool(watcher, lambda _: "node is syncing, no transactions")
    watcher.port.submit(site.opening(70))
    watcher.poll()
    watcher.poll()
    assert [said.reason for said in watcher.of(NotTaken)] == ["node is syncing, no transactions"]


def test_what_a_pool_has_already_is_no_news(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    site.chain.mine([])
    watcher.poll()  # handed in again: "already known"
    assert watcher.of(NotTaken) == []


def test_bid_sinks_below_the_cap_of_a_pool(site: Site) -> None:
    watcher = site.watcher()
    cap = 2_100_000_000  # ours is twice the base fee and a tip, three of these

    def refuse(transaction: Any) -> str:
        dear = transaction.most > cap
        return "tx fee (1.63 ether) exceeds the configured cap (1.00 ether)" if dear else ""

    offered = pool(watcher, refuse)
    watcher.port.submit(site.opening(70))
    rounds(watcher, 12)
    assert offered[0] > cap
    assert site.holdings() == (70, 0)


@pytest.mark.parametrize("restarts", [False, True])
def test_bid_sinks_though_the_first_one_may_have_arrived(site: Site, restarts: bool) -> None:
    """The answer to the first was lost, or what was said of it in an earlier life."""
    watcher = site.watcher()
    lost = [True]

    def refuse(transaction: Any) -> str:
        if lost:
            lost.pop()
            raise NodeUnreachable("ConnectionError")
        return "tx fee exceeds the configured cap" if transaction.most > 2_100_000_000 else ""

    pool(watcher, refuse)
    wish = site.opening(70)
    watcher.port.submit(wish)
    for _ in range(4):
        rounds(watcher, 5)
        if restarts:
            watcher.start()
            watcher.port.submit(wish)
    assert site.holdings() == (70, 0)


def test_bid_rises_at_once_where_it_is_too_cheap(site: Site) -> None:
    watcher = site.watcher()
    offered = pool(
        watcher, lambda item: "transaction underpriced" if item.most < 6_000_000_000 else ""
    )
    watcher.port.submit(site.opening(70))
    rounds(watcher, 8)
    assert offered == sorted(offered)
    assert site.holdings() == (70, 0)


def test_trouble_of_a_node_raises_no_bid(site: Site) -> None:
    """Higher and higher bids would end above the cap of the same pool, and cost more where not."""
    watcher = site.watcher()
    busy = ["internal error: execution timeout"] * 4
    offered = pool(watcher, lambda _: busy.pop() if busy else "")
    watcher.port.submit(site.opening(70))
    rounds(watcher, 8)
    assert len(offered) > 4
    assert len(set(offered)) == 1
    assert site.holdings() == (70, 0)


def test_crowded_pool_is_bid_more(site: Site) -> None:
    watcher = site.watcher()
    offered = pool(watcher, lambda item: "txpool is full" if item.most < 5_000_000_000 else "")
    watcher.port.submit(site.opening(70))
    rounds(watcher, 16)
    assert len(set(offered)) > 2
    assert site.holdings() == (70, 0)


def test_pool_that_refuses_for_ever_does_not_fill_the_journal(site: Site) -> None:
    watcher = site.watcher()
    pool(watcher, lambda _: "insufficient funds for gas * price + value: balance 1, tx cost 2")
    watcher.port.submit(site.deposit(70, lasts=10**6))
    site.open(ALICE, 5)
    rounds(watcher, 300)
    assert len(watcher.of(Sent)) < 40


def test_lower_bids_end_where_the_next_block_would_not_take_them() -> None:
    fees: Fees | None = Fees(Wei(10**12), Wei(10**10))
    seen = []
    while fees is not None:
        seen.append(fees.most)
        assert fees.tip <= fees.most - 10**9 or fees.most == 10**12
        fees = lower_fees(FeePolicy(), fees, Wei(10**9))
    assert seen[-1] >= 1_125_000_000
    assert seen[-1] < 1_200_000_000
    assert len(seen) < 20


# ---------------------------------------------------------------------------------------- receipts


def no_receipts(watcher: Watcher) -> None:
    def mined(_: bytes) -> None:
        raise NodeBusy("transaction indexing is in progress")

    watcher.endpoint.mined = mined  # type: ignore[method-assign]


def test_deposit_without_a_receipt_is_not_made_again(site: Site) -> None:
    watcher = site.watcher()
    no_receipts(watcher)
    for _ in range(12):
        watcher.port.submit(site.opening(70))
        rounds(watcher, 1)
    assert site.holdings() == (70, 0)
    assert watcher.of(NonceTaken) == []
    del watcher.endpoint.mined
    rounds(watcher, 2)
    assert len(watcher.of(Paid)) == 1


def test_one_wish_waits_for_no_receipt_of_another(site: Site) -> None:
    site.open(ALICE, 100)
    watcher = site.watcher()
    watcher.port.submit(site.opening(1))
    watcher.poll()
    site.chain.mine()
    no_receipts(watcher)
    watcher.port.submit(site.register(3))
    rounds(watcher, 2)
    site.chain.mine()
    watcher.port.watch(site.watch)
    watcher.poll()
    assert watcher.seen(site.id)[0].dispute.version == 3


# ------------------------------------------------------------------------------------------ nonces


@pytest.mark.parametrize("low", [0, 1])
def test_count_of_a_node_that_is_behind_unsettles_no_deposit(site: Site, low: int) -> None:
    site.act(ALICE, Call(INGRID.address, b""))
    watcher = site.watcher()
    opening = site.opening(70)
    watcher.port.submit(opening)
    rounds(watcher, 7)
    done = [(entry.nonce, entry.wish.key) for entry in watcher.journal.load() if entry.done]
    assert done == [(1, opening.key)]
    true = type(watcher.endpoint).next_nonce
    watcher.endpoint.next_nonce = lambda *a: min(low, true(watcher.endpoint, *a))  # type: ignore[method-assign]
    deposit = site.deposit(5)
    watcher.port.submit(deposit)
    rounds(watcher, 1)
    del watcher.endpoint.next_nonce
    rounds(watcher, 8)
    watcher.start()  # and after a restart, which knows the journal only
    for _ in range(9):
        watcher.port.submit(opening)
        if site.holdings() != (75, 0):
            watcher.port.submit(deposit)
        rounds(watcher, 1)
    assert site.holdings() == (75, 0)


def test_deposit_whose_final_block_is_gone_is_handed_in_again(site: Site) -> None:
    watcher = site.watcher()
    opening = site.opening(70)
    watcher.port.submit(opening)
    rounds(watcher, 6)
    assert len(watcher.of(Paid)) == 1
    site.chain.reorganise(site.chain.head.number, keep=False)
    site.chain.mine([])
    assert site.holdings() == (0, 0)
    for _ in range(70):
        with suppress(ChainFault):
            watcher.poll()
        site.chain.mine()
    assert site.holdings() == (70, 0)
    other = site.deposit(5)
    watcher.port.submit(other)
    rounds(watcher, 8)
    assert site.holdings() == (75, 0)


def test_party_bob_sends_too(site: Site) -> None:
    watcher = site.watcher(BOB)
    watcher.port.submit(site.opening(30))
    rounds(watcher, 4)
    assert site.holdings() == (0, 30)


@pytest.mark.parametrize("late", [1, 2, 20, 10**6])
def test_receipt_that_comes_late_is_no_reason_for_a_second_deposit(site: Site, late: int) -> None:
    """Where a block is final at once, and the node's index behind by some."""
    watcher = site.watcher(limits=replace(LIMITS, finality_blocks=0))
    true = watcher.endpoint.mined

    def mined(hash: bytes) -> Any:
        found = true(hash)
        return None if found and found.block > site.chain.head.number - late else found

    watcher.endpoint.mined = mined  # type: ignore[method-assign]
    wish = site.opening(70)
    for _ in range(30):
        if not site.holdings()[0]:
            watcher.port.submit(wish)  # Who has seen it in a final block asks no more.
        rounds(watcher, 1)
    assert site.holdings() == (70, 0)
