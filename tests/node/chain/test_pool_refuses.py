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
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Party, World

BUSY = NodeBusy("daily request count exceeded")


def rounds(party: Party, count: int) -> None:
    for _ in range(count):
        with suppress(ChainFault):
            party.poll()
        party.world.chain.mine()


def pool(party: Party, why: Any) -> list[int]:
    """A pool that refuses in words for as long as `why` has some; the prices it was offered."""
    offered: list[int] = []
    true = type(party.endpoint).send

    def send(raw: bytes) -> None:
        offered.append(read(raw).most)
        reason = why(read(raw))
        if reason:
            raise PoolRefused(reason)
        true(party.endpoint, raw)

    party.endpoint.send = send  # type: ignore[method-assign]
    return offered


@pytest.mark.parametrize("fault", [BUSY, NodeUnreachable("ReadTimeout")], ids=["words", "time"])
def test_deposit_outlives_a_node_in_trouble(world: World, fault: ChainFault) -> None:
    party = world.party()

    def estimate(*_: object) -> int:
        raise fault

    party.endpoint.estimate = estimate  # type: ignore[method-assign]
    party.port.submit(world.opening(70))
    rounds(party, 6)
    del party.endpoint.estimate
    rounds(party, 6)
    assert party.of(Dropped) == party.of(Refused) == []
    assert world.holdings() == (70, 0)
    assert len(party.of(Paid)) == 1


def test_without_any_estimate_gas_is_reckoned(world: World) -> None:
    party = world.party()
    party.endpoint.estimate = lambda *_: (_ for _ in ()).throw(BUSY)  # type: ignore[method-assign]
    party.port.submit(world.opening(70))
    rounds(party, 8)
    assert world.holdings() == (70, 0)


def test_what_a_pool_does_not_take_is_told_once(world: World) -> None:
    party = world.party()
    pool(party, lambda _: "node is syncing, no transactions")
    party.port.submit(world.opening(70))
    party.poll()
    party.poll()
    assert [said.reason for said in party.of(NotTaken)] == ["node is syncing, no transactions"]


def test_what_a_pool_has_already_is_no_news(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    world.chain.mine([])
    party.poll()  # handed in again: "already known"
    assert party.of(NotTaken) == []


def test_bid_sinks_below_the_cap_of_a_pool(world: World) -> None:
    party = world.party()
    cap = 2_100_000_000  # ours is twice the base fee and a tip, three of these

    def refuse(transaction: Any) -> str:
        dear = transaction.most > cap
        return "tx fee (1.63 ether) exceeds the configured cap (1.00 ether)" if dear else ""

    offered = pool(party, refuse)
    party.port.submit(world.opening(70))
    rounds(party, 12)
    assert offered[0] > cap
    assert world.holdings() == (70, 0)


@pytest.mark.parametrize("restarts", [False, True])
def test_bid_sinks_though_the_first_one_may_have_arrived(world: World, restarts: bool) -> None:
    """The answer to the first was lost, or what was said of it in an earlier life."""
    party = world.party()
    lost = [True]

    def refuse(transaction: Any) -> str:
        if lost:
            lost.pop()
            raise NodeUnreachable("ConnectionError")
        return "tx fee exceeds the configured cap" if transaction.most > 2_100_000_000 else ""

    pool(party, refuse)
    wish = world.opening(70)
    party.port.submit(wish)
    for _ in range(4):
        rounds(party, 5)
        if restarts:
            party.start()
            party.port.submit(wish)
    assert world.holdings() == (70, 0)


def test_bid_rises_at_once_where_it_is_too_cheap(world: World) -> None:
    party = world.party()
    offered = pool(
        party, lambda item: "transaction underpriced" if item.most < 6_000_000_000 else ""
    )
    party.port.submit(world.opening(70))
    rounds(party, 8)
    assert offered == sorted(offered)
    assert world.holdings() == (70, 0)


def test_trouble_of_a_node_raises_no_bid(world: World) -> None:
    """Higher and higher bids would end above the cap of the same pool, and cost more where not."""
    party = world.party()
    busy = ["internal error: execution timeout"] * 4
    offered = pool(party, lambda _: busy.pop() if busy else "")
    party.port.submit(world.opening(70))
    rounds(party, 8)
    assert len(offered) > 4
    assert len(set(offered)) == 1
    assert world.holdings() == (70, 0)


def test_crowded_pool_is_bid_more(world: World) -> None:
    party = world.party()
    offered = pool(party, lambda item: "txpool is full" if item.most < 5_000_000_000 else "")
    party.port.submit(world.opening(70))
    rounds(party, 16)
    assert len(set(offered)) > 2
    assert world.holdings() == (70, 0)


def test_pool_that_refuses_for_ever_does_not_fill_the_journal(world: World) -> None:
    party = world.party()
    pool(party, lambda _: "insufficient funds for gas * price + value: balance 1, tx cost 2")
    party.port.submit(world.deposit(70, lasts=10**6))
    world.open(ALICE, 5)
    rounds(party, 300)
    assert len(party.of(Sent)) < 40


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


def no_receipts(party: Party) -> None:
    def mined(_: bytes) -> None:
        raise NodeBusy("transaction indexing is in progress")

    party.endpoint.mined = mined  # type: ignore[method-assign]


def test_deposit_without_a_receipt_is_not_made_again(world: World) -> None:
    party = world.party()
    no_receipts(party)
    for _ in range(12):
        party.port.submit(world.opening(70))
        rounds(party, 1)
    assert world.holdings() == (70, 0)
    assert party.of(NonceTaken) == []
    del party.endpoint.mined
    rounds(party, 2)
    assert len(party.of(Paid)) == 1


def test_one_wish_waits_for_no_receipt_of_another(world: World) -> None:
    world.open(ALICE, 100)
    party = world.party()
    party.port.submit(world.opening(1))
    party.poll()
    world.chain.mine()
    no_receipts(party)
    party.port.submit(world.register(3))
    rounds(party, 2)
    world.chain.mine()
    party.port.watch(world.watch)
    party.poll()
    assert party.seen(world.id)[0].dispute.version == 3


# ------------------------------------------------------------------------------------------ nonces


@pytest.mark.parametrize("low", [0, 1])
def test_count_of_a_node_that_is_behind_unsettles_no_deposit(world: World, low: int) -> None:
    world.act(ALICE, Call(INGRID.address, b""))
    party = world.party()
    opening = world.opening(70)
    party.port.submit(opening)
    rounds(party, 7)
    done = [(entry.nonce, entry.wish.key) for entry in party.journal.load() if entry.done]
    assert done == [(1, opening.key)]
    true = type(party.endpoint).next_nonce
    party.endpoint.next_nonce = lambda *a: min(low, true(party.endpoint, *a))  # type: ignore[method-assign]
    deposit = world.deposit(5)
    party.port.submit(deposit)
    rounds(party, 1)
    del party.endpoint.next_nonce
    rounds(party, 8)
    party.start()  # and after a restart, which knows the journal only
    for _ in range(9):
        party.port.submit(opening)
        if world.holdings() != (75, 0):
            party.port.submit(deposit)
        rounds(party, 1)
    assert world.holdings() == (75, 0)


def test_deposit_whose_final_block_is_gone_is_handed_in_again(world: World) -> None:
    party = world.party()
    opening = world.opening(70)
    party.port.submit(opening)
    rounds(party, 6)
    assert len(party.of(Paid)) == 1
    world.chain.reorganise(world.chain.head.number, keep=False)
    world.chain.mine([])
    assert world.holdings() == (0, 0)
    for _ in range(70):
        with suppress(ChainFault):
            party.poll()
        world.chain.mine()
    assert world.holdings() == (70, 0)
    other = world.deposit(5)
    party.port.submit(other)
    rounds(party, 8)
    assert world.holdings() == (75, 0)


def test_party_bob_sends_too(world: World) -> None:
    party = world.party(BOB)
    party.port.submit(world.opening(30))
    rounds(party, 4)
    assert world.holdings() == (0, 30)


@pytest.mark.parametrize("late", [1, 2, 20, 10**6])
def test_receipt_that_comes_late_is_no_reason_for_a_second_deposit(world: World, late: int) -> None:
    """Where a block is final at once, and the node's index behind by some."""
    party = world.party(limits=replace(LIMITS, finality_blocks=0))
    true = party.endpoint.mined

    def mined(hash: bytes) -> Any:
        found = true(hash)
        return None if found and found.block > world.chain.head.number - late else found

    party.endpoint.mined = mined  # type: ignore[method-assign]
    wish = world.opening(70)
    for _ in range(30):
        if not world.holdings()[0]:
            party.port.submit(wish)  # Who has seen it in a final block asks no more.
        rounds(party, 1)
    assert world.holdings() == (70, 0)
