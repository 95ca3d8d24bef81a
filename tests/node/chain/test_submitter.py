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
from tests.node.chain.conftest import ALICE, BOB, INGRID, Party, World, plain_token


def rounds(party: Party, count: int) -> None:
    """Blocks without our transactions: builders leave them lying."""
    for _ in range(count):
        party.world.chain.mine([])
        party.poll()


def mined(party: Party, count: int = 3) -> None:
    """Blocks with everything that waits."""
    for _ in range(count):
        party.world.chain.mine()
        party.poll()


def test_wish_is_done_once_its_block_is_final(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    world.chain.mine()
    party.poll()
    assert party.of(Paid) == []
    mined(party, 2)
    (paid,) = party.of(Paid)
    assert (paid.succeeded, paid.kind) == (True, "OpenChannel")
    assert world.holdings() == (70, 0)
    assert party.port.submitter.idle


def test_same_wish_again_is_the_same_wish(world: World) -> None:
    party = world.party()
    wish = world.opening(70)
    for _ in range(4):
        party.port.submit(wish)
        party.poll()
        world.chain.mine()
    mined(party)
    party.port.submit(wish)
    mined(party)
    assert world.holdings() == (70, 0)
    assert len(party.of(Sent)) == 1


def test_transaction_left_lying_is_replaced_by_dearer_one_under_same_nonce(world: World) -> None:
    party = world.party(policy=FeePolicy(patience=3, hurry=0))
    party.port.submit(world.opening(70))
    party.poll()
    rounds(party, 3)
    first, second = party.of(Sent)
    assert first.nonce == second.nonce
    assert second.fees.most * 10 >= first.fees.most * 11
    assert second.fees.tip * 10 >= first.fees.tip * 11
    assert len(world.chain.pool) == 1
    mined(party)
    assert world.holdings() == (70, 0)


def test_near_its_end_the_bid_rises_with_every_block(world: World) -> None:
    party = world.party(policy=FeePolicy(patience=3, hurry=600))
    party.port.submit(world.opening(70))
    party.poll()
    rounds(party, 3)
    assert len(party.of(Sent)) == 4


def test_bid_never_exceeds_the_greatest(world: World) -> None:
    party = world.party(policy=FeePolicy(greatest=Wei(6 * 10**9)))
    party.port.submit(world.opening(70))
    party.poll()
    rounds(party, 20)
    assert max(sent.fees.most for sent in party.of(Sent)) <= 6 * 10**9
    mined(party)
    assert world.holdings() == (70, 0)


def test_either_of_two_bids_may_be_mined(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    (old,) = world.chain.pool.values()
    rounds(party, 3)
    world.chain.mine([old])  # a builder that never saw the replacement
    party.poll()
    mined(party)
    (paid,) = party.of(Paid)
    assert paid.hash == old.hash
    assert world.holdings() == (70, 0)


def test_forgotten_transaction_is_sent_again(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    world.chain.pool.clear()
    world.chain.mine()
    party.poll()
    mined(party)
    assert world.holdings() == (70, 0)


def test_reorganised_transaction_is_sent_again(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    world.chain.mine()
    party.poll()
    world.chain.reorganise(1, keep=False)
    world.chain.mine([])
    party.poll()
    assert world.holdings() == (0, 0)
    mined(party)
    assert world.holdings() == (70, 0)
    assert len({sent.nonce for sent in party.of(Sent)}) == 1


def test_restart_goes_on_with_the_pending_transaction(world: World, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    party = world.party(journal=SqliteJournal(path, ALICE.address))
    wish = world.opening(70)
    party.port.submit(wish)
    party.poll()
    party.journal = SqliteJournal(path, ALICE.address)
    party.start()
    party.port.submit(wish)  # the core asks again for what it has not seen done
    party.poll()
    rounds(party, 4)
    assert {sent.nonce for sent in party.of(Sent)} == {0}
    mined(party)
    assert world.holdings() == (70, 0)


def test_transaction_mined_while_we_were_down_is_not_sent_twice(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "sent"
    party = world.party(journal=SqliteJournal(path, ALICE.address))
    wish = world.opening(70)
    party.port.submit(wish)
    party.poll()
    for _ in range(5):
        world.chain.mine()
    for _ in range(2):  # killed again right after it saw the block, before the core noted it
        party.journal = SqliteJournal(path, ALICE.address)
        party.start()
        party.port.submit(wish)
        party.poll()
        world.chain.mine()
    assert world.holdings() == (70, 0)


def test_killed_between_journal_and_node_still_sends(world: World, tmp_path: Path) -> None:
    path = tmp_path / "sent"
    party = world.party(journal=SqliteJournal(path, ALICE.address))
    party.port.submit(world.opening(70))
    party.endpoint.send = _cut
    with pytest.raises(NodeUnreachable):
        party.poll()
    assert not world.chain.pool
    party.endpoint.__dict__.pop("send")
    party.journal = SqliteJournal(path, ALICE.address)
    party.start()
    party.poll()
    mined(party)
    assert world.holdings() == (70, 0)


def _cut(raw: bytes) -> None:
    raise NodeUnreachable("the power failed")


def test_timed_out_transaction_that_mines_later_is_noticed(world: World) -> None:
    """No clock calls it failed: it is mined a hundred blocks later, and counted once."""
    party = world.party(policy=FeePolicy(greatest=Wei(3 * 10**9 + 10**9)))
    party.port.submit(world.deposit(70, lasts=500))
    party.poll()
    rounds(party, 100)
    assert party.of(Dropped) == []
    mined(party)
    assert world.holdings() == (70, 0)
    assert len(party.of(Paid)) == 1


def test_lapsed_deposit_is_dropped_only_in_a_final_block(world: World) -> None:
    party = world.party()
    party.port.submit(world.deposit(70, lasts=10))
    party.poll()
    world.chain.mine([], at=world.later(11))
    party.poll()
    assert party.of(Dropped) == []
    rounds(party, 2)
    assert [report.reason for report in party.of(Dropped)] == ["too late"]
    mined(party)
    assert world.holdings() == (0, 0)


def test_foreign_transaction_on_our_nonce_is_survived(world: World) -> None:
    party, wish = world.party(), world.opening(70)
    party.port.submit(wish)
    party.poll()
    foreign = world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    world.chain.mine([foreign])
    party.poll()
    assert len({sent.nonce for sent in party.of(Sent)}) == 1  # it may yet be taken back
    for _ in range(8):
        if not world.holdings()[0]:
            party.port.submit(wish)  # a core asks until it sees the money
        mined(party, 1)
    assert party.of(NonceTaken)
    assert world.holdings() == (70, 0)


def test_foreign_transaction_taken_back_does_not_double_deposit(world: World) -> None:
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    (ours,) = world.chain.pool.values()
    world.chain.mine([world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))])
    party.poll()
    world.chain.reorganise(1, keep=False)
    world.chain.mine([ours])
    party.poll()
    mined(party, 5)
    assert world.holdings() == (70, 0)


def test_urgent_answer_does_not_wait_for_finality_of_a_clash(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.port.submit(world.register(4))
    party.poll()
    world.chain.mine([world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))])
    party.poll()
    assert sorted({sent.nonce for sent in party.of(Sent)}) == [1, 2]


def test_waiting_foreign_transaction_is_not_overwritten(world: World) -> None:
    foreign = world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    world.chain.receive(foreign)
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    assert [sent.nonce for sent in party.of(Sent)] == [1]
    mined(party)
    assert world.holdings() == (70, 0)


def test_gap_left_by_vanished_foreign_transaction_is_filled(world: World) -> None:
    foreign = world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)))
    world.chain.receive(foreign)
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    world.chain.forget(foreign)
    mined(party, 5)
    assert world.holdings() == (70, 0)


def test_foreign_transaction_too_cheap_to_be_mined_is_overwritten(world: World) -> None:
    world.open(ALICE, 70)
    cheap = world.transaction(ALICE, Call(INGRID.address, b"", Wei(1)), most=2 * 10**9)
    world.chain.receive(cheap)
    party = world.party()
    party.port.submit(world.register(4))
    party.poll()
    for _ in range(20):
        bids = [item for item in world.chain.pool.values() if item.most > 2 * 10**9]
        world.chain.mine(bids)  # no builder takes the cheap one
        party.poll()
    assert [report.kind for report in party.of(Paid) if report.succeeded] == [
        "Nothing",
        "Register",
    ]
    assert cheap.hash not in world.chain.mined


def test_newer_state_replaces_the_older_under_the_same_nonce(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.port.submit(world.register(4, net=10))
    party.poll()
    party.port.submit(world.register(6, net=20))
    party.poll()
    assert len({sent.nonce for sent in party.of(Sent)}) == 1
    party.port.watch(world.watch)
    mined(party)
    assert party.port.submitter.idle
    query = [i for i in party.reports if isinstance(i, Paid)]
    assert len(query) == 1
    assert world.party().poll() is not None
    other = world.party(BOB)
    other.port.watch(world.watch)
    other.poll()
    assert other.seen(world.id)[1].dispute.version == 6


def test_refused_wish_waits_until_the_chain_takes_it(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.port.submit(world.register(4, net=10))
    party.poll()
    mined(party, 1)
    party.port.submit(world.settle(10))
    party.poll()
    (refused,) = party.of(Refused)
    assert "DisputeStillOpen" in refused.reason
    world.chain.mine(at=world.later(601))
    party.poll()
    mined(party)
    assert world.holdings() == (0, 0)


def test_wish_refused_beyond_finality_is_dropped(world: World) -> None:
    party = world.party()
    party.port.submit(world.settle())
    mined(party, 5)
    assert len(party.of(Dropped)) == 1
    assert party.port.submitter.idle


def test_poor_account_says_so_and_sends_when_it_can_pay(world: World) -> None:
    world.chain.evm.enrich(ALICE.address, Wei(10))
    party = world.party()
    party.port.submit(world.opening(70))
    party.poll()
    assert [type(report) for report in party.reports] == [TooPoor]
    world.chain.evm.enrich(ALICE.address, Wei(10**20))
    mined(party, 4)
    assert world.holdings() == (70, 0)


def test_many_wishes_take_consecutive_nonces(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.port.submit(world.deposit(1))
    party.port.submit(world.opening(2))
    party.poll()
    assert sorted(sent.nonce for sent in party.of(Sent)) == [1, 2]
    mined(party)
    assert world.holdings() == (73, 0)


def test_token_is_allowed_before_it_is_deposited(world: World) -> None:
    token = plain_token(world, ALICE)
    channel = replace(world.channel, asset=token)
    party = world.party()
    for nonce, amount in enumerate((70, 30)):
        terms = replace(channel, nonce=nonce)
        key = b"o" + channel_id(world.deployment.contract, terms)
        party.port.submit(Submit(key, OpenChannel(terms, Wei(amount), world.later(300))))
    party.poll()
    mined(party, 16)
    held = party.endpoint.ask(
        erc20.balance_of(token, world.deployment.contract.contract), world.chain.head.number
    )
    assert held == 100
    assert [report.kind for report in party.of(Paid)] == ["Approve", "OpenChannel"] * 2
