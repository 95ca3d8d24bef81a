"""Paths over several hubs through the package's own words: what the scripts of parties do."""

from __future__ import annotations

import pytest
from eth_account import Account
from web3 import Web3

import perun
from perun import Wei, events, reverts
from perun.bindings import Outcome
from perun.bindings.gate import StoredPath
from tests.node.bindings.conftest import GAS, HOUR
from tests.node.bindings.test_streams_and_bets import wait


def test_parties_open_a_path_and_end_it_by_a_final(suite: perun.Deployment, web3: Web3) -> None:
    gate, sender = suite.of(perun.Gate), web3.eth.accounts[3]
    keys = [perun.new_key() for _ in range(4)]
    end = perun.UnixTime(perun.now(web3) + HOUR)
    secret = perun.new_preimage()
    lock = perun.Lock(Wei(9), False, perun.keccak(secret), end, perun.new_salt())
    inner = perun.InstanceId(perun.lock_id(suite.hash_time_lock.domain, lock))
    parties = tuple(map(perun.address, keys))
    path = perun.Path(suite.hash_time_lock.address, inner, parties, end, perun.new_salt())
    id = perun.path_id(gate.domain, path)
    assert gate.path_id(path) == id
    assert gate.domain_separator() == gate.domain.separator
    nobody = perun.Address(bytes(20))
    nothing = perun.InstanceId(bytes(32))
    assert gate.record(id) == StoredPath(False, False, perun.UnixTime(0), nobody, nothing, Wei(0))

    opening = perun.Opening(id)
    signed = [perun.sign(opening, key, gate.domain) for key in keys]
    assert perun.is_signed_by(opening, signed[0], parties[0], gate.domain)
    all_signed = [perun.types.Signature(one.to_bytes()) for one in signed]
    with pytest.raises(reverts.WrongPartyCount) as caught:
        gate.open(path, all_signed[1:], sender=sender)
    assert (caught.value.parties, caught.value.signatures) == (4, 3)
    with pytest.raises(reverts.WrongSigner):
        gate.open(path, all_signed[::-1], sender=sender)
    receipt = gate.open(path, all_signed, sender=sender, gas=GAS)
    assert receipt.only(events.PathOpened) == events.PathOpened(id, path.app, inner, end)
    assert gate.record(id) == StoredPath(True, False, end, path.app, inner, Wei(0))
    suite.hash_time_lock.reveal(lock, secret, sender=sender, gas=GAS)
    assert gate.outcome(id) == Outcome(False, Wei(0))

    final = perun.Final(id, Wei(-5))
    finals = [perun.types.Signature(perun.sign(final, key, gate.domain).to_bytes()) for key in keys]
    evidence = perun.fix_evidence(path, Wei(-5), finals)
    assert gate.submit(evidence, sender=sender, gas=GAS).only(events.PathFixed).shift == -5
    assert gate.record(id) == StoredPath(False, True, end, nobody, inner, Wei(-5))
    wait(web3, end + 1)
    assert gate.outcome(id) == Outcome(True, Wei(-5))


def test_wallets_sign_openings_and_finals(suite: perun.Deployment) -> None:
    account, domain = Account.create(), suite.of(perun.Gate).domain
    id = perun.PathId(perun.InstanceId(b"\x07" * 32))
    for message in (perun.Opening(id), perun.Final(id, Wei(-7))):
        signed = account.sign_typed_data(full_message=perun.wallet_json(message, domain))
        assert perun.is_signed_by(message, signed.signature, account.address, domain)
        with pytest.raises(perun.WrongType):
            perun.sign(message, account, suite.ms_contract.domain)


def test_path_locks_what_its_instance_does(suite: perun.Deployment) -> None:
    parties = tuple(perun.address(perun.new_key()) for _ in range(3))
    inner = perun.InstanceId(bytes(32))
    path = perun.Path(suite.vpm.address, inner, parties, perun.UnixTime(900), perun.new_salt())
    gate = suite.of(perun.Gate)
    straight, swapped = (gate.nano(path, (Wei(5), Wei(6)), swapped=it) for it in (False, True))
    assert (straight.alice_lock, straight.bob_lock, straight.expiry) == (5, 6, 900)
    assert (swapped.alice_lock, swapped.bob_lock, swapped.id) == (6, 5, straight.id)


def test_path_of_two_is_no_path(suite: perun.Deployment) -> None:
    parties = tuple(perun.address(perun.new_key()) for _ in range(2))
    inner = perun.InstanceId(bytes(32))
    with pytest.raises(perun.OutOfRange):
        perun.Path(suite.vpm.address, inner, parties, perun.UnixTime(900), perun.new_salt())
