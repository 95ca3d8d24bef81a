"""VPM, HashTimeLock, LibSignatures and ERC-20 through their fronts."""

from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

import perun
from perun import Wei, crypto, events, reverts
from perun.bindings import ERC20, Nanocontract, Outcome, Totals
from perun.bindings.coin_flip import CoinFlip, FlipReader, StoredFlip
from perun.core.nanocontracts.coin_flip import flip_shift
from perun.crypto import interop
from perun.types import Flip, Lock, Machine
from tests.node.bindings.conftest import GAS, HOUR


@pytest.fixture
def machine(web3: Web3) -> Machine:
    """One of two fixed keys, payable for an hour, with a minute to answer."""
    keys = (perun.address(crypto.SecretKey(bytes((n,)) * 32).address) for n in (1, 2))
    validity = perun.UnixTime(perun.now(web3) + HOUR)
    return Machine(*keys, Wei(50), Wei(60), validity, perun.Seconds(60), perun.new_salt())


def statement(suite: perun.Deployment, machine: Machine, secret: int, paid: int) -> object:
    key = interop.eth_private_key(crypto.SecretKey(bytes((secret,)) * 32))
    id = perun.machine_id(suite.vpm.domain, machine)
    return perun.sign(perun.Statement(id, Wei(paid)), key, suite.vpm.domain)


def test_machine_ids_and_domain_are_the_contracts_own(
    suite: perun.Deployment, machine: Machine
) -> None:
    vpm = suite.vpm
    assert vpm.machine_id(machine) == perun.machine_id(vpm.domain, machine)
    assert vpm.domain_separator() == vpm.domain.separator


def test_statements_raise_totals_and_decide(
    suite: perun.Deployment, machine: Machine, web3: Web3
) -> None:
    vpm, sender = suite.vpm, web3.eth.accounts[3]
    id = perun.machine_id(vpm.domain, machine)
    assert vpm.totals(id) == Totals(Wei(0), Wei(0), perun.UnixTime(0))
    by_alice = statement(suite, machine, 1, 30)
    receipt = vpm.submit_statements(machine, Wei(30), by_alice, sender=sender, gas=GAS)
    deadline = perun.UnixTime(perun.now(web3) + 60)
    expected = events.Submitted(id, Wei(30), Wei(0), deadline)
    assert receipt.only(events.Submitted) == expected

    by_bob = crypto.canonical(statement(suite, machine, 2, 45).to_bytes())
    evidence = perun.statements_evidence(machine, Wei(0), b"", Wei(45), by_bob)
    vpm.submit(evidence, sender=sender, gas=GAS)
    assert vpm.totals(id) == Totals(Wei(30), Wei(45), deadline)
    assert vpm.outcome(id) == Outcome(False, Wei(0))
    web3.provider.ethereum_tester.time_travel(deadline + 1)
    web3.provider.ethereum_tester.mine_block()
    assert Nanocontract(web3, vpm.address).outcome(id) == Outcome(True, Wei(-15))
    assert vpm.past(events.Submitted, id=id)[-1] == events.Submitted(id, 30, 45, deadline)


def test_nanos_of_machines_swap_their_locks(suite: perun.Deployment, machine: Machine) -> None:
    straight, swapped = suite.vpm.nano(machine), suite.vpm.nano(machine, swapped=True)
    assert (straight.alice_lock, straight.bob_lock, straight.swapped) == (50, 60, False)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.swapped) == (60, 50, True)
    assert straight.id == swapped.id == suite.vpm.machine_id(machine)
    assert straight.expiry == machine.validity + machine.challenge
    assert straight.app == suite.vpm.address


@pytest.mark.parametrize("bob_pays", [False, True])
def test_locks_are_revealed(suite: perun.Deployment, web3: Web3, bob_pays: bool) -> None:
    locks, sender, preimage = suite.hash_time_lock, web3.eth.accounts[3], perun.new_preimage()
    deadline = perun.UnixTime(perun.now(web3) + HOUR)
    lock = Lock(Wei(9), bob_pays, perun.keccak(preimage), deadline, perun.new_salt())
    id = perun.lock_id(locks.domain, lock)
    assert locks.lock_id(lock) == id
    assert locks.domain_separator() == locks.domain.separator
    assert locks.outcome(id) == Outcome(False, Wei(0))
    receipt = locks.reveal(lock, preimage, sender=sender, gas=GAS)
    assert receipt.only(events.Revealed) == events.Revealed(id, preimage)
    assert locks.outcome(id) == Outcome(True, Wei(-9 if bob_pays else 9))
    again = locks.submit(perun.reveal_evidence(lock, preimage), sender=sender, gas=GAS)
    assert again.events == ()
    for swapped in (False, True):
        nano = locks.nano(lock, swapped=swapped)
        payer_is_bob = bob_pays != swapped
        assert (nano.alice_lock, nano.bob_lock) == ((0, 9) if payer_is_bob else (9, 0))


def test_a_wrong_preimage_is_named(suite: perun.Deployment, web3: Web3) -> None:
    deadline = perun.UnixTime(perun.now(web3) + HOUR)
    lock = Lock(Wei(9), False, bytes(32), deadline, perun.new_salt())
    with pytest.raises(reverts.WrongPreimage) as caught:
        suite.hash_time_lock.reveal(lock, perun.Preimage(bytes(32)), sender=web3.eth.accounts[3])
    assert (caught.value.expected, caught.value.hash) == (bytes(32), perun.keccak(bytes(32)))


@pytest.mark.parametrize("bob_first", [False, True])
def test_coins_are_flipped(suite: perun.Deployment, web3: Web3, bob_first: bool) -> None:
    coin, sender = suite.of(CoinFlip), web3.eth.accounts[3]
    secrets = (perun.new_preimage(), perun.new_preimage())
    commits = [perun.flip_commit(bob, secrets[bob]) for bob in (False, True)]
    until, hour = perun.UnixTime(perun.now(web3) + HOUR), perun.Seconds(HOUR)
    flip = Flip(Wei(9), Wei(8), *commits, 2**15, until, hour, perun.new_salt())
    id = perun.flip_id(coin.domain, flip)
    assert coin.flip_id(flip) == id
    assert coin.domain_separator() == coin.domain.separator
    assert coin.record(id) == StoredFlip(False, False, False, perun.UnixTime(0), 0)

    receipt = coin.reveal(flip, bob_first, secrets[bob_first], sender=sender, gas=GAS)
    deadline = perun.UnixTime(perun.now(web3) + HOUR)
    first = events.FlipRevealed(id, bob_first, secrets[bob_first], deadline)
    assert receipt.only(events.FlipRevealed) == first
    share = int.from_bytes(secrets[bob_first][-2:], "big")
    assert coin.record(id) == StoredFlip(False, not bob_first, bob_first, deadline, share)
    assert coin.outcome(id) == Outcome(False, Wei(0))

    other = not bob_first
    with pytest.raises(reverts.WrongSecret):
        coin.reveal(flip, other, secrets[bob_first], sender=sender)
    coin.submit(perun.flip_evidence(flip, other, secrets[other]), sender=sender, gas=GAS)
    assert coin.record(id).decided
    assert coin.outcome(id) == Outcome(True, flip_shift(flip, *secrets))


def test_nanos_of_flips_swap_their_locks(suite: perun.Deployment) -> None:
    coin = suite.of(CoinFlip)
    until, hour = perun.UnixTime(10_000), perun.Seconds(HOUR)
    flip = Flip(Wei(9), Wei(8), bytes(32), bytes(32), 1, until, hour, perun.new_salt())
    straight, swapped = coin.nano(flip), coin.nano(flip, swapped=True)
    assert (straight.alice_lock, straight.bob_lock, straight.expiry) == (9, 8, 10_000 + HOUR)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.id) == (8, 9, straight.id)


def test_reader_of_flips_is_ready_for_what_only_storage_shows() -> None:
    """The log of Bob's secret is missing: the clock runs against Alice all the same."""
    reader, until = FlipReader(), perun.UnixTime(5_000)
    stored = StoredFlip(False, False, True, until, 7)
    assert reader.differs(None, stored)
    assert reader.dangerous(stored)
    record = reader.worse(None, stored)
    assert record is not None
    assert (record.alice, bool(record.bob), record.deadline) == (b"", True, until)
    assert not reader.differs(record, stored)
    decided = StoredFlip(True, False, False, perun.UnixTime(0), 0)
    assert reader.differs(record, decided)
    assert not reader.dangerous(decided)


def test_signatures_are_judged_alike_here_and_there(suite: perun.Deployment) -> None:
    account, digest = Account.create(), perun.Digest(b"\x11" * 32)
    signed = account.unsafe_sign_hash(digest)
    library = suite.lib_signatures
    assert library.recover(digest, signed) == perun.address(account)
    assert library.verify(account, digest, signed)
    assert not library.verify(account, digest, signed.signature[:64] + b"\x05")
    assert not library.verify(perun.new_key(), digest, signed)
    with pytest.raises(reverts.InvalidSignature) as caught:
        library.recover(digest, b"\x01" * 63)
    assert caught.value.length == 63


def test_tokens(token: ERC20, web3: Web3) -> None:
    alice, bob, carol = (perun.address(account) for account in web3.eth.accounts[:3])
    assert (token.name(), token.symbol(), token.decimals()) == ("Standard", "STD", 18)
    assert token.total_supply() == 20_000
    receipt = token.transfer(carol, Wei(5), sender=alice, gas=GAS)
    assert receipt.only(events.Transfer) == events.Transfer(alice, carol, Wei(5))
    receipt = token.approve(bob, Wei(7), sender=alice, gas=GAS)
    assert receipt.only(events.Approval) == events.Approval(alice, bob, Wei(7))
    token.transfer_from(alice, carol, Wei(6), sender=bob, gas=GAS)
    assert token.allowance(alice, bob) == 1
    assert (token.balance_of(alice), token.balance_of(carol)) == (9_989, 11)
    with pytest.raises(reverts.ERC20InsufficientAllowance) as caught:
        token.transfer_from(alice, carol, Wei(6), sender=bob)
    assert (caught.value.spender, caught.value.allowance, caught.value.needed) == (bob, 1, 6)
