"""A deal in escrow through the package's own words: what an arbiter's script does."""

from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

import perun
from perun import Wei, events, reverts
from perun.bindings import Outcome
from perun.bindings.escrow import StoredDeal
from tests.node.bindings.conftest import GAS, HOUR


@pytest.fixture
def keys() -> list[object]:
    return [perun.new_key() for _ in range(3)]


@pytest.fixture
def deal(web3: Web3, keys: list[object]) -> perun.Deal:
    """Locks 50 and 60; 5 move if it is late; a minute to bring better evidence."""
    now = perun.now(web3)
    due, until = perun.UnixTime(now + HOUR), perun.UnixTime(now + 2 * HOUR)
    parties = [perun.address(key) for key in keys]
    minute = perun.Seconds(60)
    return perun.Deal(*parties, Wei(50), Wei(60), Wei(5), due, until, minute, perun.new_salt())


def test_arbiter_awards_a_part_and_is_overruled_by_both(
    suite: perun.Deployment, web3: Web3, keys: list[object], deal: perun.Deal
) -> None:
    escrow, sender = suite.of(perun.Escrow), web3.eth.accounts[3]
    id = perun.deal_id(escrow.domain, deal)
    assert escrow.deal_id(deal) == id
    assert escrow.domain_separator() == escrow.domain.separator
    assert escrow.record(id) == StoredDeal(0, Wei(0), perun.UnixTime(0))
    award = perun.Award(id, Wei(-20))
    by_arbiter = perun.sign(award, keys[2], escrow.domain)
    assert perun.is_signed_by(award, by_arbiter, deal.arbiter, escrow.domain)
    receipt = escrow.award(deal, award.shift, by_arbiter.to_bytes(), sender=sender, gas=GAS)
    deadline = perun.UnixTime(perun.now(web3) + 60)
    assert receipt.only(events.Decided) == events.Decided(id, 1, Wei(-20), deadline)
    assert escrow.record(id) == StoredDeal(1, Wei(-20), deadline)

    settled = perun.Award(id, Wei(-10))
    both = [perun.sign(settled, key, escrow.domain).to_bytes() for key in keys[:2]]
    with pytest.raises(reverts.WrongSigner):
        escrow.agree(deal, settled.shift, both[1], both[0], sender=sender)
    escrow.submit(perun.agreement_evidence(deal, settled.shift, *both), sender=sender, gas=GAS)
    assert escrow.record(id) == StoredDeal(3, Wei(-10), deadline)
    assert escrow.late(deal, sender=sender, gas=GAS).events == ()
    assert escrow.outcome(id) == Outcome(False, Wei(0))
    web3.provider.ethereum_tester.time_travel(deadline + 1)
    web3.provider.ethereum_tester.mine_block()
    assert escrow.outcome(id) == Outcome(True, Wei(-10))


def test_lateness_is_said_by_anybody(suite: perun.Deployment, web3: Web3, deal: perun.Deal) -> None:
    escrow, sender = suite.of(perun.Escrow), web3.eth.accounts[3]
    with pytest.raises(reverts.TooEarly):
        escrow.late(deal, sender=sender)
    web3.provider.ethereum_tester.time_travel(deal.due + 1)
    receipt = escrow.submit(perun.late_evidence(deal), sender=sender, gas=GAS)
    assert (receipt.only(events.Decided).rank, receipt.only(events.Decided).shift) == (0, 5)


def test_more_than_a_lock_is_refused_with_what_was_asked(
    suite: perun.Deployment, web3: Web3, keys: list[object], deal: perun.Deal
) -> None:
    escrow, sender = suite.of(perun.Escrow), web3.eth.accounts[3]
    award = perun.Award(perun.deal_id(escrow.domain, deal), Wei(51))
    signed = perun.sign(award, keys[2], escrow.domain).to_bytes()
    with pytest.raises(reverts.ShiftTooLarge) as caught:
        escrow.award(deal, award.shift, signed, sender=sender)
    assert caught.value.shift == 51


def test_wallets_sign_awards(suite: perun.Deployment, deal: perun.Deal) -> None:
    domain = suite.of(perun.Escrow).domain
    award, account = perun.Award(perun.deal_id(domain, deal), Wei(-7)), Account.create()
    signed = account.sign_typed_data(full_message=perun.wallet_json(award, domain))
    assert perun.is_signed_by(award, signed.signature, account.address, domain)
    with pytest.raises(perun.WrongType):
        perun.sign(award, account, suite.vpm.domain)


def test_nanos_of_deals_swap_their_locks(suite: perun.Deployment, deal: perun.Deal) -> None:
    escrow = suite.of(perun.Escrow)
    straight, swapped = escrow.nano(deal), escrow.nano(deal, swapped=True)
    assert (straight.alice_lock, straight.bob_lock) == (50, 60)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.id) == (60, 50, straight.id)
    assert straight.expiry == deal.validity + deal.challenge
