"""Every function of MSContract through its front, with what it returns and announces."""

from __future__ import annotations

import pytest
from web3 import Web3

import perun
from perun import ETH, Close, Open, State, Wei, Withdraw, events, reverts
from perun.bindings import ERC20, BadArguments
from perun.errors import AmountOutOfRange, NotAnAmount, OutOfRange, WrongChannel
from perun.types import Machine, Settlement
from tests.node.bindings.conftest import GAS, HOUR, Pair


def test_ids_and_domain_are_the_contracts_own(pair: Pair) -> None:
    ms = pair.suite.ms_contract
    assert ms.channel_id(pair.channel) == pair.id
    assert ms.domain_separator() == ms.domain.separator


def test_open_deposits_and_announces(pair: Pair) -> None:
    ms = pair.suite.ms_contract
    receipt = ms.open(pair.channel, Wei(100), pair.now + HOUR, sender=pair.bob, gas=GAS)
    assert receipt.events == (
        events.Opened(pair.id, pair.alice, pair.bob, pair.channel),
        events.Deposited(pair.id, ETH, Wei(0), Wei(100)),
    )
    assert receipt.block == ms.web3.eth.block_number
    assert receipt.gas_used > 21_000
    assert receipt.paid > 0
    holdings = ms.holdings(pair.channel)
    assert (holdings.alice, holdings.bob, holdings.withdrawals) == (0, 100, 0)
    assert (holdings.drawn, holdings.disputed) == (False, False)


def test_tokens_are_pulled_and_no_ether_is_sent(token_pair: Pair, token: ERC20) -> None:
    ms = token_pair.suite.ms_contract
    token_pair.open(30, 40)
    holdings = ms.holdings(token_pair.channel)
    assert (holdings.alice, holdings.bob) == (30, 40)
    assert token.balance_of(ms.address) == 70
    assert ms.web3.eth.get_balance(perun.checksum(ms.address)) == 0


def test_deposit_to_either_side(pair: Pair) -> None:
    ms, until = pair.suite.ms_contract, pair.now + HOUR
    for to_bob, amount in ((False, 3), (True, 4)):
        ms.deposit(pair.channel, amount, until, to_bob=to_bob, sender=pair.alice, gas=GAS)
    holdings = ms.holdings(pair.channel)
    assert (holdings.alice, holdings.bob) == (3, 4)


def test_fund_credit_and_claim(pair: Pair, web3: Web3) -> None:
    ms, carol = pair.suite.ms_contract, web3.eth.accounts[5]
    receipt = ms.fund(ETH, pair.bob, Wei(50), sender=pair.alice, gas=GAS)
    assert receipt.only(events.Credited) == events.Credited(ETH, pair.bob, Wei(50))
    assert ms.credit(ETH, pair.bob) == 50
    before = web3.eth.get_balance(carol)
    receipt = ms.claim(ETH, Wei(20), carol, sender=pair.bob, gas=GAS)
    claimed = events.Claimed(ETH, pair.bob, Wei(20), perun.address(carol))
    assert receipt.only(events.Claimed) == claimed
    assert web3.eth.get_balance(carol) - before == 20
    assert ms.credit(ETH, pair.bob) == 30


@pytest.mark.parametrize("by_bob", [False, True])
def test_open_both_sends_the_callers_share(
    suite: perun.Deployment, web3: Web3, by_bob: bool
) -> None:
    # The account that is drawn on signs, so it must have a key here.
    key, caller = perun.new_key(), perun.address(web3.eth.accounts[0])
    ms, drawn = suite.ms_contract, perun.address(key)
    sides = (drawn, caller) if by_bob else (caller, drawn)
    channel = perun.Channel(*sides, drawn, caller, ETH, perun.Seconds(HOUR), perun.new_nonce())
    id = perun.channel_id(ms.domain, channel)
    ms.fund(ETH, drawn, Wei(8), sender=caller, gas=GAS)
    amounts = (Wei(8), Wei(5)) if by_bob else (Wei(5), Wei(8))
    offer = Open(id, *amounts, perun.UnixTime(perun.now(web3) + 600))
    signature = perun.sign(offer, key, ms.domain)
    receipt = ms.open_both(channel, offer, signature, sender=caller, gas=GAS)
    assert receipt.only(events.Deposited) == events.Deposited(id, ETH, *amounts)
    assert ms.holdings(channel).drawn
    assert ms.credit(ETH, drawn) == 0


def test_close_pays_both(pair: Pair, web3: Web3) -> None:
    ms = pair.open().suite.ms_contract
    agreed = Close(pair.id, Wei(30), pair.now + HOUR, to_credit=1)
    signatures = pair.signed(agreed)
    before = web3.eth.get_balance(pair.bob)
    receipt = ms.close(pair.channel, agreed, *signatures, sender=web3.eth.accounts[5], gas=GAS)
    assert receipt.only(events.Closed) == events.Closed(pair.id, Wei(70), Wei(130))
    assert web3.eth.get_balance(pair.bob) - before == 130
    assert ms.credit(ETH, pair.alice) == 70


def test_the_sender_needs_no_signature(pair: Pair) -> None:
    ms = pair.open().suite.ms_contract
    agreed = Close(pair.id, Wei(-30), pair.now + HOUR)
    _, by_bob = pair.signed(agreed)
    receipt = ms.close(pair.channel, agreed, signature_bob=by_bob, sender=pair.alice, gas=GAS)
    assert receipt.only(events.Closed) == events.Closed(pair.id, Wei(130), Wei(70))


def test_withdraw_counts(pair: Pair) -> None:
    ms = pair.open().suite.ms_contract
    for index in (0, 1):
        agreed = Withdraw(pair.id, index, Wei(10), Wei(20), pair.now + HOUR)
        receipt = ms.withdraw(
            pair.channel, agreed, *pair.signed(agreed), sender=pair.alice, gas=GAS
        )
        expected = events.Withdrawn(pair.id, index, Wei(10), Wei(20))
        assert receipt.only(events.Withdrawn) == expected
    holdings = ms.holdings(pair.channel)
    assert (holdings.alice, holdings.bob, holdings.withdrawals) == (80, 60, 2)


def test_dispute_from_register_to_settle(pair: Pair) -> None:
    suite, ms = pair.open().suite, pair.suite.ms_contract
    keys = pair.channel.alice_key, pair.channel.bob_key
    validity = perun.UnixTime(pair.now + HOUR)
    machine = Machine(*keys, Wei(50), Wei(50), validity, perun.Seconds(60), perun.new_salt())
    nano = suite.vpm.nano(machine)
    state = State(pair.id, perun.Version(2), Wei(10), (nano,))
    statement = perun.Statement(perun.machine_id(suite.vpm.domain, machine), Wei(25))
    by_alice = perun.sign(statement, pair.alice_key, suite.vpm.domain)
    evidence = perun.statements_evidence(machine, Wei(25), by_alice.to_bytes(), Wei(0), b"")

    receipt = ms.register(
        pair.channel, state, *pair.signed(state), [evidence], sender=pair.alice, gas=GAS
    )
    deadline = pair.now + HOUR
    expected = events.Registered(pair.id, perun.Version(2), Wei(10), (nano,), deadline)
    assert receipt.events == (expected,)
    # The machine's own announcement is in the same transaction, under its own address.
    (submitted,) = suite.vpm.events(receipt)
    assert submitted == events.Submitted(statement.machine, Wei(25), Wei(0), pair.now + 60)

    dispute = ms.dispute(pair.channel)
    assert (dispute.version, dispute.deadline, dispute.settling) == (2, deadline, False)
    assert dispute.state_hash == perun.state_hash(pair.id, 2, 10, (nano,))
    assert ms.holdings(pair.channel).disputed

    settlement = Settlement(pair.channel, Wei(10), (nano,))
    with pytest.raises(reverts.DisputeStillOpen) as caught:
        ms.settle(settlement, sender=pair.bob)
    assert (caught.value.id, caught.value.deadline) == (pair.id, deadline)
    assert caught.value.retry

    pair.wait(HOUR + 1)
    receipt = ms.settle_many([settlement, settlement], sender=pair.bob, gas=GAS)
    assert receipt.events == (
        events.Settled(pair.id, Wei(65), Wei(135), ()),
        events.SettleSkipped(pair.id),
    )


def test_settle_leaves_what_is_locked(pair: Pair) -> None:
    suite, ms = pair.open().suite, pair.suite.ms_contract
    preimage = perun.new_preimage()
    deadline = perun.UnixTime(pair.now + 3 * HOUR)
    lock = perun.Lock(Wei(40), True, perun.keccak(preimage), deadline, perun.new_salt())
    nano = suite.hash_time_lock.nano(lock)
    assert (nano.alice_lock, nano.bob_lock, nano.expiry) == (0, 40, deadline)
    state = State(pair.id, perun.Version(1), Wei(0), (nano,))
    signatures = pair.signed(state)
    evidence = [b"not evidence at all"]
    receipt = ms.register(pair.channel, state, *signatures, evidence, sender=pair.bob, gas=GAS)
    assert receipt.only(events.EvidenceFailed) == events.EvidenceFailed(pair.id, 0)
    pair.wait(HOUR + 1)
    settlement = Settlement(pair.channel, Wei(0), (nano,))
    receipt = ms.settle(settlement, sender=pair.bob, gas=GAS)
    assert receipt.only(events.Settled) == events.Settled(pair.id, Wei(100), Wei(60), (nano,))
    assert ms.dispute(pair.channel).settling
    suite.hash_time_lock.reveal(lock, preimage, sender=pair.alice, gas=GAS)
    receipt = ms.settle(settlement, sender=pair.bob, gas=GAS)
    assert receipt.only(events.Settled) == events.Settled(pair.id, Wei(40), Wei(0), ())


def test_past_events_of_one_channel(pair: Pair, suite: perun.Deployment, web3: Web3) -> None:
    ms = pair.open(1, 2).suite.ms_contract
    first = web3.eth.block_number - 1
    pair.suite.ms_contract.fund(ETH, pair.bob, Wei(1), sender=pair.alice, gas=GAS)
    found = ms.past(events.Deposited, id=pair.id, from_block=first)
    assert [(event.alice_holdings, event.bob_holdings) for event in found] == [(1, 0), (1, 2)]
    assert ms.past(events.Deposited, id=pair.id, from_block=first, to_block=first) == found[:1]
    assert ms.past(events.Deposited, id=bytes(32), from_block=first) == ()
    assert len(ms.past(events.Credited, from_block=first)) == 1


@pytest.mark.parametrize("amount", [True, 1.0, "5", float("nan"), None])
def test_no_call_takes_another_type_as_amount(pair: Pair, amount: object) -> None:
    ms, until = pair.suite.ms_contract, pair.now + HOUR
    for act in (
        lambda: ms.open(pair.channel, amount, until, sender=pair.alice),
        lambda: ms.deposit(pair.channel, amount, until, to_bob=True, sender=pair.alice),
        lambda: ms.fund(ETH, pair.bob, amount, sender=pair.alice),
        lambda: ms.claim(ETH, amount, pair.bob, sender=pair.alice),
    ):
        with pytest.raises(NotAnAmount):
            act()


@pytest.mark.parametrize("amount", [-1, 2**112])
def test_no_call_takes_an_amount_out_of_range(pair: Pair, amount: int) -> None:
    with pytest.raises(AmountOutOfRange):
        pair.suite.ms_contract.open(pair.channel, amount, 1, sender=pair.alice)


def test_no_call_takes_a_time_out_of_range(pair: Pair) -> None:
    with pytest.raises(OutOfRange):
        pair.suite.ms_contract.open(pair.channel, 1, 2**40, sender=pair.alice)


def test_a_record_of_another_channel_is_refused_here(pair: Pair) -> None:
    ms, other = pair.suite.ms_contract, perun.ChannelId(bytes(32))
    for act in (
        lambda: ms.close(pair.channel, Close(other, 0, 1), sender=pair.alice),
        lambda: ms.withdraw(pair.channel, Withdraw(other, 0, 1, 1, 1), sender=pair.alice),
        lambda: ms.register(pair.channel, State(other, 1, 0), sender=pair.alice),
        lambda: ms.open_both(pair.channel, Open(other, 1, 1, 1), b"", sender=pair.alice),
    ):
        with pytest.raises(WrongChannel) as caught:
            act()
        assert (caught.value.channel, caught.value.named) == (pair.id, other)


def test_values_of_other_types_are_named(pair: Pair) -> None:
    ms = pair.suite.ms_contract
    for act in (
        lambda: ms.credit(b"short", pair.alice),
        lambda: ms.register(pair.channel, State(pair.id, 1, 0), evidence=[5], sender=pair.alice),
        lambda: ms.settle_many([None], sender=pair.alice),
    ):
        with pytest.raises(BadArguments):
            act()
