"""Streams and bets through the package's own words: what a payee's and a reporter's scripts do."""

from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

import perun
from perun import Wei, events, reverts
from perun.bindings import Outcome
from perun.bindings.hash_chain import StoredStream
from perun.bindings.price_bet import StoredBet
from tests.node.bindings.conftest import GAS, HOUR

MINUTE = perun.Seconds(60)
FEED = b"ETH in USD".ljust(32, b"\0")


def wait(web3: Web3, until: int) -> None:
    web3.provider.ethereum_tester.time_travel(until)
    web3.provider.ethereum_tester.mine_block()


def test_payee_shows_the_newest_tick(suite: perun.Deployment, web3: Web3) -> None:
    chain, sender, key = suite.of(perun.HashChain), web3.eth.accounts[3], perun.new_key()
    until = perun.UnixTime(perun.now(web3) + HOUR)
    stream = perun.Stream(
        perun.address(key), Wei(50), Wei(4), True, until, MINUTE, perun.new_salt()
    )
    id = perun.stream_id(chain.domain, stream)
    assert chain.stream_id(stream) == id
    assert chain.domain_separator() == chain.domain.separator
    assert chain.record(id) == StoredStream(Wei(0), False, perun.UnixTime(0))
    values = [perun.new_salt()]
    for _ in range(chain.most_ticks()):
        values.append(perun.tick_hash(id, values[-1]))
    values.reverse()
    root = perun.Chain(id, Wei(10), values[0])
    signed = perun.sign(root, key, chain.domain)
    assert perun.is_signed_by(root, signed, stream.payer, chain.domain)

    shown = (stream, root.base, root.root, 3, values[3], signed.to_bytes())
    receipt = chain.submit_ticks(*shown, sender=sender, gas=GAS)
    deadline = perun.UnixTime(perun.now(web3) + MINUTE)
    assert receipt.only(events.TicksSubmitted) == events.TicksSubmitted(id, Wei(22), deadline)
    with pytest.raises(reverts.WrongRoot):
        chain.submit_ticks(*shown[:3], 4, *shown[4:], sender=sender)
    with pytest.raises(reverts.TooManyTicks) as caught:
        chain.submit_ticks(*shown[:3], 1_025, *shown[4:], sender=sender)
    assert caught.value.ticks == 1_025
    more = (stream, root.base, root.root, 9, values[9], signed.to_bytes())
    chain.submit(perun.ticks_evidence(*more), sender=sender, gas=GAS)
    assert chain.record(id) == StoredStream(Wei(46), True, deadline)
    assert chain.outcome(id) == Outcome(False, Wei(0))
    wait(web3, deadline + 1)
    assert chain.outcome(id) == Outcome(True, Wei(-46))


def test_reporter_signs_once_for_all_bets(suite: perun.Deployment, web3: Web3) -> None:
    bets, sender, key = suite.of(perun.PriceBet), web3.eth.accounts[3], perun.new_key()
    now = perun.now(web3)
    line = (Wei(2_000), Wei(1), Wei(10))
    terms = (*line, Wei(50), Wei(60), perun.UnixTime(now + HOUR), MINUTE)
    both = [
        perun.Bet(perun.address(key), FEED, perun.UnixTime(now), *terms, perun.new_salt())
        for _ in range(2)
    ]
    price = perun.Price(FEED, perun.UnixTime(now), Wei(2_100))
    signed = perun.sign(price, key, perun.PRICE_DOMAIN)
    assert perun.is_signed_by(price, signed, both[0].oracle, perun.PRICE_DOMAIN)
    assert bets.price_domain_separator() == perun.PRICE_DOMAIN.separator
    for bet in both:
        id = perun.bet_id(bets.domain, bet)
        assert bets.bet_id(bet) == id
        receipt = bets.submit_price(bet, price.price, signed.to_bytes(), sender=sender, gas=GAS)
        deadline = perun.UnixTime(perun.now(web3) + MINUTE)
        assert receipt.only(events.Priced) == events.Priced(id, False, Wei(10), deadline)
        assert bets.record(id) == StoredBet(False, Wei(10), deadline)
    other = perun.sign(perun.Price(FEED, price.time, Wei(1_900)), key, perun.PRICE_DOMAIN)
    evidence = perun.price_evidence(both[1], Wei(1_900), other.to_bytes())
    assert bets.submit(evidence, sender=sender, gas=GAS).only(events.Priced).void
    wait(web3, deadline + 1)
    assert [bets.outcome(perun.bet_id(bets.domain, bet)) for bet in both] == [
        Outcome(True, Wei(10)),
        Outcome(True, Wei(0)),
    ]


def test_bet_that_divides_by_zero_is_refused(suite: perun.Deployment, web3: Web3) -> None:
    bets, now = suite.of(perun.PriceBet), perun.now(web3)
    line = (Wei(0), Wei(1), Wei(0))
    terms = (*line, Wei(50), Wei(60), perun.UnixTime(now + HOUR), MINUTE, perun.new_salt())
    bet = perun.Bet(perun.address(perun.new_key()), FEED, perun.UnixTime(now), *terms)
    with pytest.raises(reverts.ScaleIsZero):
        bets.submit_price(bet, Wei(1), b"", sender=web3.eth.accounts[3])


def test_wallets_sign_chains_and_prices(suite: perun.Deployment) -> None:
    account = Account.create()
    domain = suite.of(perun.HashChain).domain
    chain = perun.Chain(perun.StreamId(perun.InstanceId(bytes(32))), Wei(1), b"\x07" * 32)
    signed = account.sign_typed_data(full_message=perun.wallet_json(chain, domain))
    assert perun.is_signed_by(chain, signed.signature, account.address, domain)
    price = perun.Price(FEED, perun.UnixTime(1_800_000_000), Wei(-7))
    signed = account.sign_typed_data(full_message=perun.wallet_json(price, perun.PRICE_DOMAIN))
    assert perun.is_signed_by(price, signed.signature, account.address, perun.PRICE_DOMAIN)
    for message, wrong in ((chain, perun.PRICE_DOMAIN), (price, domain)):
        with pytest.raises(perun.WrongType):
            perun.sign(message, account, wrong)


def test_nanos_lock_the_payer_or_both(suite: perun.Deployment) -> None:
    chain, bets, until = suite.of(perun.HashChain), suite.of(perun.PriceBet), perun.UnixTime(900)
    payer = perun.address(perun.new_key())
    stream = perun.Stream(payer, Wei(50), Wei(4), True, until, MINUTE, perun.new_salt())
    straight, swapped = chain.nano(stream), chain.nano(stream, swapped=True)
    assert (straight.alice_lock, straight.bob_lock, straight.expiry) == (0, 50, 960)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.id) == (50, 0, straight.id)
    line = (Wei(0), Wei(1), Wei(1), Wei(50), Wei(60))
    bet = perun.Bet(payer, FEED, perun.UnixTime(1), *line, until, MINUTE, perun.new_salt())
    straight, swapped = bets.nano(bet), bets.nano(bet, swapped=True)
    assert (straight.alice_lock, straight.bob_lock, straight.expiry) == (50, 60, 960)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.id) == (60, 50, straight.id)
