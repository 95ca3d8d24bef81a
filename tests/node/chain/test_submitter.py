"""How transactions fare when everything goes wrong on the way to the chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from perun.bindings import erc20
from perun.bindings.calls import Call
from perun.bindings.failures import NodeUnreachable
from perun.chain.fees import FeePolicy
from perun.chain.reports import Dropped, NonceTaken, Paid, Refused, Sent, TooPoor
from perun.chain.sqlite_journal import SqliteJournal
from perun.core.effects import OpenChannel, Submit
from perun.encoding import channel_id
from perun.types import Wei
from tests.node.chain.conftest import ALICE, BOB, INGRID, Site, Watcher, plain_token


def rounds(watcher: Watcher, count: int) -> None:
    """Blocks without our transactions: builders leave them lying."""
    for _ in range(count):
        watcher.site.chain.mine([])
        watcher.poll()


def mined(watcher: Watcher, count: int = 3) -> None:
    """Blocks with everything that waits."""
    for _ in range(count):
        watcher.site.chain.mine()
        watcher.poll()


def test_wish_is_done_once_its_block_is_final(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    site.chain.mine()
    watcher.poll()
    assert watcher.of(Paid) == []
    mined(watcher, 2)
    (paid,) = watcher.of(Paid)
    assert (paid.succeeded, paid.kind) == (True, "OpenChannel")
    assert site.holdings() == (70, 0)
    assert watcher.port.submitter.idle


def test_same_wish_again_is_the_same_wish(site: Site) -> None:
    watcher = site.watcher()
    wish = site.opening(70)
    for _ in range(4):
        watcher.port.submit(wish)
        watcher.poll()
        site.chain.mine()
    mined(watcher)
    watcher.port.submit(wish)
    mined(watcher)
    assert site.holdings() == (70, 0)
    assert len(watcher.of(Sent)) == 1


def test_transaction_left_lying_is_replaced_by_dearer_one_under_same_nonce(site: Site) -> None:
    watcher = site.watcher(policy=FeePolicy(patience=3, hurry=0))
    watcher.port.submit(site.opening(70))
    watcher.poll()
    rounds(watcher, 3)
    first, second = watcher.of(Sent)
    assert first.nonce == second.nonce
    assert second.fees.most * 10 >= first.fees.most * 11
    assert second.fees.tip * 10 >= first.fees.tip * 11
    assert len(site.chain.pool) == 1
    mined(watcher)
    assert site.holdings() == (70, 0)


def test_near_its_end_the_bid_rises_with_every_block(site: Site) -> None:
    watcher = site.watcher(policy=FeePolicy(patience=3, hurry=600))
    watcher.port.submit(site.opening(70))
    watcher.poll()
    rounds(watcher, 3)
    assert len(watcher.of(Sent)) == 4


def test_bid_never_exceeds_the_greatest(site: Site) -> None:
    watcher = site.watcher(policy=FeePolicy(greatest=Wei(6 * 10**9)))
    watcher.port.submit(site.opening(70))
    watcher.poll()
    rounds(watcher, 20)
    assert max(sent.fees.most for sent in watcher.of(Sent)) <= 6 * 10**9
    mined(watcher)
    assert site.holdings() == (70, 0)


def test_either_of_two_bids_may_be_mined(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    (old,) = site.chain.pool.values()
    rounds(watcher, 3)
    site.chain.mine([old])  # a builder that never saw the replacement
    watcher.poll()
    mined(watcher)
    (paid,) = watcher.of(Paid)
    assert paid.hash == old.hash
    assert site.holdings() == (70, 0)


def test_forgotten_transaction_is_sent_again(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    site.chain.pool.clear()
    site.chain.mine()
    watcher.poll()
    mined(watcher)
    assert site.holdings() == (70, 0)


def test_reorganised_transaction_is_sent_again(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    site.chain.mine()
    watcher.poll()
    site.chain.reorganise(1, keep=False)
    site.chain.mine([])
    watcher.poll()
    assert site.holdings() == (0, 0)
    mined(watcher)
    assert site.holdings() == (70, 0)
    assert len({sent.nonce for sent in watcher.of(Sent)}) == 1


def test_restart_goes_on_with_the_pending_transaction(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    watcher = site.watcher(journal=SqliteJournal(path, ALICE.address))
    wish = site.opening(70)
    watcher.port.submit(wish)
    watcher.poll()
    watcher.journal = SqliteJournal(path, ALICE.address)
    watcher.start()
    watcher.port.submit(wish)  # the core asks again for what it has not seen done
    watcher.poll()
    rounds(watcher, 4)
    assert {sent.nonce for sent in watcher.of(Sent)} == {0}
    mined(watcher)
    assert site.holdings() == (70, 0)


def test_transaction_mined_while_we_were_down_is_not_sent_twice(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    watcher = site.watcher(journal=SqliteJournal(path, ALICE.address))
    wish = site.opening(70)
    watcher.port.submit(wish)
    watcher.poll()
    for _ in range(5):
        site.chain.mine()
    for _ in range(2):  # killed again right after it saw the block, before the core noted it
        watcher.journal = SqliteJournal(path, ALICE.address)
        watcher.start()
        watcher.port.submit(wish)
        watcher.poll()
        site.chain.mine()
    assert site.holdings() == (70, 0)


def test_killed_between_journal_and_node_still_sends(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    watcher = site.watcher(journal=SqliteJournal(path, ALICE.address))
    watcher.port.submit(site.opening(70))
    watcher.endpoint.send = _cut
    with pytest.raises(NodeUnreachable):
        watcher.poll()
    assert not site.chain.pool
    watcher.endpoint.__dict__.pop("send")
    watcher.journal = SqliteJournal(path, ALICE.address)
    watcher.start()
    watcher.poll()
    mined(watcher)
    assert site.holdings() == (70, 0)


def _cut(raw: bytes) -> None:
    raise NodeUnreachable("the power failed")


def test_timed_out_transaction_that_mines_later_is_noticed(site: Site) -> None:
    """No clock calls it failed: it is mined a hundred blocks later, and counted once."""
    watcher = site.watcher(policy=FeePolicy(greatest=Wei(3 * 10**9 + 10**9)))
    watcher.port.submit(site.deposit(70, lasts=500))
    watcher.poll()
    rounds(watcher, 100)
    assert watcher.of(Dropped) == []
    mined(watcher)
    assert site.holdings() == (70, 0)
    assert len(watcher.of(Paid)) == 1


def test_lapsed_deposit_is_dropped_only_in_a_final_block(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.deposit(70, lasts=10))
    watcher.poll()
    site.chain.mine([], at=site.later(11))
    watcher.poll()
    assert watcher.of(Dropped) == []
    rounds(watcher, 2)
    assert [report.reason for report in watcher.of(Dropped)] == ["too late"]
    mined(watcher)
    assert site.holdings() == (0, 0)


def test_foreign_transaction_on_our_nonce_is_survived(site: Site) -> None:
    watcher, wish = site.watcher(), site.opening(70)
    watcher.port.submit(wish)
    watcher.poll()
    foreign = site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    site.chain.mine([foreign])
    watcher.poll()
    assert len({sent.nonce for sent in watcher.of(Sent)}) == 1  # it may yet be taken back
    for _ in range(8):
        if not site.holdings()[0]:
            watcher.port.submit(wish)  # a core asks until it sees the money
        mined(watcher, 1)
    assert watcher.of(NonceTaken)
    assert site.holdings() == (70, 0)


def test_foreign_transaction_taken_back_does_not_double_deposit(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    (ours,) = site.chain.pool.values()
    site.chain.mine([site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))])
    watcher.poll()
    site.chain.reorganise(1, keep=False)
    site.chain.mine([ours])
    watcher.poll()
    mined(watcher, 5)
    assert site.holdings() == (70, 0)


def test_urgent_answer_does_not_wait_for_finality_of_a_clash(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.port.submit(site.register(4))
    watcher.poll()
    site.chain.mine([site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))])
    watcher.poll()
    assert sorted({sent.nonce for sent in watcher.of(Sent)}) == [1, 2]


def test_waiting_foreign_transaction_is_not_overwritten(site: Site) -> None:
    foreign = site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    site.chain.receive(foreign)
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    assert [sent.nonce for sent in watcher.of(Sent)] == [1]
    mined(watcher)
    assert site.holdings() == (70, 0)


def test_gap_left_by_vanished_foreign_transaction_is_filled(site: Site) -> None:
    foreign = site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    site.chain.receive(foreign)
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    site.chain.forget(foreign)
    mined(watcher, 5)
    assert site.holdings() == (70, 0)


def test_foreign_transaction_too_cheap_to_be_mined_is_overwritten(site: Site) -> None:
    site.open(ALICE, 70)
    cheap = site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)), most=2 * 10**9)
    site.chain.receive(cheap)
    watcher = site.watcher()
    watcher.port.submit(site.register(4))
    watcher.poll()
    for _ in range(20):
        bids = [item for item in site.chain.pool.values() if item.most > 2 * 10**9]
        site.chain.mine(bids)  # no builder takes the cheap one
        watcher.poll()
    assert [report.kind for report in watcher.of(Paid) if report.succeeded] == [
        "Nothing",
        "Register",
    ]
    assert cheap.hash not in site.chain.mined


def test_newer_state_replaces_the_older_under_the_same_nonce(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.port.submit(site.register(4, net=10))
    watcher.poll()
    watcher.port.submit(site.register(6, net=20))
    watcher.poll()
    assert len({sent.nonce for sent in watcher.of(Sent)}) == 1
    watcher.port.watch(site.watch)
    mined(watcher)
    assert watcher.port.submitter.idle
    query = [i for i in watcher.reports if isinstance(i, Paid)]
    assert len(query) == 1
    assert site.watcher().poll() is not None
    other = site.watcher(BOB)
    other.port.watch(site.watch)
    other.poll()
    assert other.seen(site.id)[1].dispute.version == 6


def test_refused_wish_waits_until_the_chain_takes_it(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.port.submit(site.register(4, net=10))
    watcher.poll()
    mined(watcher, 1)
    watcher.port.submit(site.settle(10))
    watcher.poll()
    (refused,) = watcher.of(Refused)
    assert "DisputeStillOpen" in refused.reason
    site.chain.mine(at=site.later(601))
    watcher.poll()
    mined(watcher)
    assert site.holdings() == (0, 0)


def test_wish_refused_beyond_finality_is_dropped(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.submit(site.settle())
    mined(watcher, 5)
    assert len(watcher.of(Dropped)) == 1
    assert watcher.port.submitter.idle


def test_poor_account_says_so_and_sends_when_it_can_pay(site: Site) -> None:
    site.chain.evm.enrich(ALICE.address, Wei(10))
    watcher = site.watcher()
    watcher.port.submit(site.opening(70))
    watcher.poll()
    assert [type(report) for report in watcher.reports] == [TooPoor]
    site.chain.evm.enrich(ALICE.address, Wei(10**20))
    mined(watcher, 4)
    assert site.holdings() == (70, 0)


def test_many_wishes_take_consecutive_nonces(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.port.submit(site.deposit(1))
    watcher.port.submit(site.opening(2))
    watcher.poll()
    assert sorted(sent.nonce for sent in watcher.of(Sent)) == [1, 2]
    mined(watcher)
    assert site.holdings() == (73, 0)


def test_token_is_allowed_before_it_is_deposited(site: Site) -> None:
    token = plain_token(site, ALICE)
    channel = replace(site.channel, asset=token)
    watcher = site.watcher()
    for nonce, amount in enumerate((70, 30)):
        terms = replace(channel, nonce=nonce)
        key = b"o" + channel_id(site.deployment.contract, terms)
        watcher.port.submit(Submit(key, OpenChannel(terms, Wei(amount), site.later(300))))
    watcher.poll()
    mined(watcher, 16)
    held = watcher.endpoint.ask(
        erc20.balance_of(token, site.deployment.contract.contract), site.chain.head.number
    )
    assert held == 100
    assert [report.kind for report in watcher.of(Paid)] == ["Approve", "OpenChannel"] * 2
