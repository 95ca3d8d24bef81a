"""The chain in memory: its time, its fees, its refusals, and going back."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from populus import Project
from populus.chain import TesterChain
from populus.chain.tester import GENESIS_TIMESTAMP
from populus.contracts.factory import PopulusContract
from populus.exceptions import ChainError, ContractReverted
from populus.reverts import ErrorTable


@pytest.fixture
def refuser(tester: TesterChain) -> PopulusContract:
    return tester.provider.deploy_contract("Refuser")[0]


@pytest.fixture
def math(tester: TesterChain) -> PopulusContract:
    return tester.provider.deploy_contract("Math")[0]


# -- accounts, time and fees ---------------------------------------------------------------


def test_accounts_are_rich_and_have_known_keys(tester: TesterChain) -> None:
    first = tester.web3.eth.accounts[0]
    assert first == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # anvil's first account
    assert tester.web3.eth.default_account == first
    assert tester.web3.eth.get_balance(first) == 10**24
    assert Account.from_key(tester.private_keys[first]).address == first


def test_the_sending_account_can_be_configured(sample: Path) -> None:
    chosen = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    path = sample / "populus.json"
    web3 = {"mine": {"eth": {"default_account": chosen}}}
    chains = {"tester": {"web3": {"$ref": "web3.mine"}}}
    path.write_text(json.dumps({**json.loads(path.read_text()), "web3": web3, "chains": chains}))
    with Project(sample).get_chain("tester") as chain:
        txn_hash = chain.web3.eth.send_transaction({"to": chosen, "value": 1})
        assert chain.web3.eth.get_transaction(txn_hash)["from"] == chosen


def test_time_is_the_chains_own(tester: TesterChain) -> None:
    eth = tester.web3.eth
    assert eth.get_block("latest")["timestamp"] == GENESIS_TIMESTAMP
    for _ in range(3):
        eth.send_transaction({"to": eth.accounts[1], "value": 1})
    assert eth.get_block("latest")["timestamp"] == GENESIS_TIMESTAMP + 3


def test_time_travel_is_exact(tester: TesterChain, math: PopulusContract) -> None:
    tester.tester.time_travel(GENESIS_TIMESTAMP + 86_400)
    txn_hash = math.transact().increase()
    block = tester.wait.for_receipt(txn_hash)["blockNumber"]
    assert tester.web3.eth.get_block(block)["timestamp"] == GENESIS_TIMESTAMP + 86_400


def test_estimates_see_the_time_of_the_next_block(
    tester: TesterChain, refuser: PopulusContract
) -> None:
    now = tester.web3.eth.get_block("latest")["timestamp"]
    assert refuser.estimate_gas().early(now + 1) > 21_000
    with pytest.raises(ContractReverted) as refusal:
        refuser.estimate_gas().early(now + 2)
    assert refusal.value.named["given"] == now + 1


def test_an_estimate_suffices(tester: TesterChain, math: PopulusContract) -> None:
    gas = math.estimate_gas().increase()
    receipt = tester.wait.for_success(math.transact({"gas": gas}).increase())
    assert receipt["gasUsed"] <= gas < 2 * receipt["gasUsed"]


def test_a_poor_sender_pays_what_is_needed_only(tester: TesterChain, math: PopulusContract) -> None:
    poor = Account.from_key(b"\x07" * 32)
    tester.tester.add_account(poor.key.hex())
    tester.web3.eth.send_transaction({"to": poor.address, "value": 10**15})
    receipt = tester.wait.for_success(math.transact({"from": poor.address}).increase())
    spent = receipt["gasUsed"] * receipt["effectiveGasPrice"]
    assert tester.web3.eth.get_balance(poor.address) == 10**15 - spent


def test_a_call_needs_no_money(math: PopulusContract) -> None:
    nobody = "0x00000000000000000000000000000000DeaDBeef"
    assert math.call({"from": nobody}).multiply7(3) == 21


# -- refusals ------------------------------------------------------------------------------

Ask = Any
ASKS = {
    "call": lambda contract, name, *args: contract.functions[name](*args).call(),
    "estimate": lambda contract, name, *args: contract.functions[name](*args).estimate_gas(),
    "transaction": lambda contract, name, *args: contract.functions[name](*args).transact(),
    "with gas": lambda contract, name, *args: contract.functions[name](*args).transact(
        {"gas": 300_000}
    ),
}


@pytest.fixture(params=ASKS)
def ask(request: pytest.FixtureRequest) -> Ask:
    return ASKS[request.param]


def test_custom_errors_reach_the_test(
    tester: TesterChain, refuser: PopulusContract, ask: Ask
) -> None:
    with pytest.raises(ContractReverted) as refusal:
        ask(refuser, "custom", 3)
    error, sender = refusal.value, tester.web3.eth.default_account
    assert (error.name, error.args) == ("TooSmall", (sender, 3, 10))
    assert error.named == {"who": sender, "given": 3, "least": 10}
    assert "given=3" in str(error)


@pytest.mark.parametrize(
    ("function", "name", "args"),
    [
        (("nothing",), "Nothing", ()),
        (("text",), "Error", ("in words",)),
        (("panic", 0), "Panic", (0x12,)),
        (("called",), "Deep", (b"below".ljust(32, b"\x00"),)),
        (("bare",), "", ()),
        (("foreign",), "0xdeadbeef", ()),
    ],
)
def test_every_way_to_refuse_reaches_the_test(
    refuser: PopulusContract, ask: Ask, function: tuple[Any, ...], name: str, args: tuple[Any, ...]
) -> None:
    with pytest.raises(ContractReverted) as refusal:
        ask(refuser, *function)
    assert (refusal.value.name, refusal.value.args) == (name, args)


def test_running_out_of_gas_is_named(refuser: PopulusContract) -> None:
    with pytest.raises(ContractReverted, match="OutOfGas") as refusal:
        refuser.transact({"gas": 200_000}).burn()
    assert refusal.value.name == ""


def test_raw_transactions_report_too(tester: TesterChain, refuser: PopulusContract) -> None:
    sender, key = next(iter(tester.private_keys.items()))
    transaction = refuser.functions.nothing().build_transaction(
        {"from": sender, "gas": 100_000, "nonce": tester.web3.eth.get_transaction_count(sender)}
    )
    signed = Account.sign_transaction(transaction, key)
    with pytest.raises(ContractReverted) as refusal:
        tester.web3.eth.send_raw_transaction(signed.raw_transaction)
    assert refusal.value.name == "Nothing"
    assert refusal.value.transaction_hash == bytes(signed.hash)


def test_without_gas_a_refused_transaction_leaves_nothing(
    tester: TesterChain, refuser: PopulusContract
) -> None:
    before = tester.web3.eth.get_block("latest")["hash"]
    with pytest.raises(ContractReverted) as refusal:
        refuser.transact().nothing()
    assert refusal.value.transaction_hash is None
    assert tester.web3.eth.get_block("latest")["hash"] == before


def test_with_gas_it_is_mined_and_paid_for(tester: TesterChain, refuser: PopulusContract) -> None:
    with pytest.raises(ContractReverted) as refusal:
        refuser.transact({"gas": 100_000}).nothing()
    assert refusal.value.transaction_hash is not None
    receipt = tester.web3.eth.get_transaction_receipt(refusal.value.transaction_hash)
    assert receipt["status"] == 0


def test_a_refusal_survives_pickling() -> None:
    error = ErrorTable().decode(bytes.fromhex("4e487b71") + (17).to_bytes(32, "big"))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.name, copy.args, copy.data, str(copy)) == ("Panic", (17,), error.data, str(error))


# -- going back ----------------------------------------------------------------------------


def test_isolated_undoes_everything(tester: TesterChain, math: PopulusContract) -> None:
    eth = tester.web3.eth
    log = math.events.Increased.create_filter(from_block="latest")
    before = eth.get_block("latest")["hash"], tester.registrar.snapshot(), eth.default_account
    with tester.isolated():
        math.transact().increase()
        tester.provider.get_or_deploy_contract("Multiply13")
        tester.tester.time_travel(GENESIS_TIMESTAMP + 10**6)
        eth.default_account = eth.accounts[5]
        assert len(log.get_all_entries()) == 1
    after = eth.get_block("latest")["hash"], tester.registrar.snapshot(), eth.default_account
    assert after == before
    assert math.call().counter() == 0
    assert log.get_all_entries() == log.get_new_entries() == []
    math.transact().increase()
    assert eth.get_block("latest")["timestamp"] == GENESIS_TIMESTAMP + 2
    assert len(log.get_new_entries()) == 1


def test_isolation_nests(tester: TesterChain, math: PopulusContract) -> None:
    with tester.isolated():
        math.transact().increase()
        with tester.isolated():
            math.transact().increase()
            assert math.call().counter() == 2
        assert math.call().counter() == 1
    assert math.call().counter() == 0


def test_a_chain_works_inside_with_only(tester: TesterChain) -> None:
    other = tester.project.get_chain("tester")
    with other:
        assert other.web3.eth.block_number == 0
    with pytest.raises(ChainError, match="not running"):
        _ = other.web3
