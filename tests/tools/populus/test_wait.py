"""Waiting ends."""

from __future__ import annotations

import itertools

import pytest
from hexbytes import HexBytes
from requests.exceptions import ConnectionError
from web3.types import TxReceipt

from populus.chain import TesterChain
from populus.exceptions import ContractReverted, DeploymentError, Timeout
from populus.wait import Wait

UNKNOWN = "0x" + 64 * "1"


def test_what_is_there_is_returned(tester: TesterChain) -> None:
    txn_hash = tester.base_contract_factories.Math.deploy()
    assert tester.wait.for_receipt(txn_hash)["status"] == 1
    assert tester.web3.eth.get_code(tester.wait.for_contract_address(txn_hash))
    assert tester.wait.for_block(1)["number"] == 1


def test_what_does_not_come_ends_in_a_timeout(tester: TesterChain) -> None:
    wait = Wait(tester.web3, timeout=0)
    for ask in (lambda: wait.for_receipt(UNKNOWN), lambda: wait.for_block(99)):
        with pytest.raises(Timeout, match="within 0 seconds"):
            ask()


def test_node_that_fails_for_a_moment_is_asked_again(
    tester: TesterChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is paid for is on its way: to end there would look as if it were not."""
    txn_hash = HexBytes(tester.base_contract_factories.Math.deploy())
    true, asked = tester.web3.eth.get_transaction_receipt, itertools.count()

    def failing(hash: HexBytes) -> TxReceipt:
        if next(asked) < 3:
            raise ConnectionError("Connection reset by peer")
        return true(hash)

    monkeypatch.setattr(tester.web3.eth, "get_transaction_receipt", failing)
    assert tester.wait.for_one_of([txn_hash], poll_interval=0)["status"] == 1
    monkeypatch.setattr(tester.web3.eth, "get_transaction_receipt", lambda _: failing(HexBytes(7)))
    with pytest.raises(Timeout, match="did not come"):
        tester.wait.for_one_of([HexBytes(UNKNOWN)], timeout=0)


def test_a_transaction_that_failed_says_why(tester: TesterChain) -> None:
    refuser, _ = tester.provider.deploy_contract("Refuser")
    with pytest.raises(ContractReverted) as sent:
        refuser.transact({"gas": 100_000}).custom(1)
    assert sent.value.transaction_hash is not None
    with pytest.raises(ContractReverted) as waited:
        tester.wait.for_success(sent.value.transaction_hash)
    assert waited.value.name == "TooSmall"
    assert waited.value.transaction_hash == sent.value.transaction_hash


def test_a_transfer_creates_no_contract(tester: TesterChain) -> None:
    txn_hash = tester.web3.eth.send_transaction({"to": tester.web3.eth.accounts[1], "value": 1})
    with pytest.raises(DeploymentError, match="created no contract"):
        tester.wait.for_contract_address(txn_hash)


def test_peers_and_syncing_are_waited_for(tester: TesterChain) -> None:
    for waiting in (tester.wait.for_peers, tester.wait.for_syncing):
        with pytest.raises(Timeout, match="within 0 seconds"):
            waiting(timeout=0, poll_interval=0.01)
    assert tester.wait.for_peers(0) == 0
