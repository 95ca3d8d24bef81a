"""Deployments: order, arguments, doing it once, and going on after an interruption."""

from __future__ import annotations

from typing import Any

import pytest
from hexbytes import HexBytes

from populus.chain import TesterChain
from populus.contracts.exceptions import UnknownContract
from populus.deploy import Deployment
from populus.exceptions import DeploymentError

TOKEN = {"Token": ["Gold", 1000, "Math"]}


class PowerCut(Exception):
    """The process ends here."""


def sent(chain: TesterChain) -> int:
    account: Any = chain.web3.eth.default_account
    return int(chain.web3.eth.get_transaction_count(account))


def test_what_is_needed_comes_first(tester: TesterChain) -> None:
    deployment = Deployment(tester, TOKEN)
    assert deployment.order(["Token", "Multiply13"]) == ["Math", "Token", "Library13", "Multiply13"]


def test_arguments_that_need_each_other_are_refused(tester: TesterChain) -> None:
    with pytest.raises(DeploymentError, match="Token needs Token"):
        Deployment(tester, {"Token": ["Gold", 1, "Token"]}).order(["Token"])


def test_all_that_is_named_stands_afterwards(tester: TesterChain) -> None:
    done = Deployment(tester, TOKEN).run(["Token", "Multiply13"])
    assert [item.name for item in done] == ["Math", "Token", "Library13", "Multiply13"]
    token = tester.provider.get_contract("Token")
    assert token.call().totalSupply() == 1000
    assert token.call().counted() == done[0].address
    assert tester.provider.get_contract("Multiply13").call().multiply13(2) == 26


def test_gas_and_fee_are_those_of_the_receipt(tester: TesterChain) -> None:
    account: Any = tester.web3.eth.default_account
    before = tester.web3.eth.get_balance(account)
    (done,) = Deployment(tester).run(["Math"])
    assert done.transaction is not None
    assert done.gas == tester.web3.eth.get_transaction_receipt(done.transaction)["gasUsed"]
    assert done.fee == before - tester.web3.eth.get_balance(account)


def test_transactions_have_eip_1559_fees(tester: TesterChain) -> None:
    (done,) = Deployment(tester).run(["Math"])
    assert done.transaction is not None
    transaction = tester.web3.eth.get_transaction(done.transaction)
    assert transaction["type"] == 2
    assert transaction["maxFeePerGas"] > transaction["maxPriorityFeePerGas"] > 0


def test_a_second_run_sends_nothing(tester: TesterChain) -> None:
    Deployment(tester, TOKEN).run(["Token", "Multiply13"])
    before = sent(tester)
    said: list[str] = []
    again = Deployment(tester, TOKEN, said.append).run(["Token", "Multiply13"])
    assert [item.transaction for item in again] == [None] * 4
    assert sent(tester) == before
    assert all("nothing sent" in line for line in said)


def test_other_arguments_are_another_contract(tester: TesterChain) -> None:
    (_, first) = Deployment(tester, TOKEN).run(["Token"])
    (_, second) = Deployment(tester, {"Token": ["Silver", 5, "Math"]}).run(["Token"])
    assert second.address != first.address
    assert tester.provider.get_contract("Token").call().title() == "Silver"
    before = sent(tester)
    (_, third) = Deployment(tester, TOKEN).run(["Token"])
    assert (third.address, sent(tester)) == (first.address, before)
    assert tester.provider.get_contract("Token").call().title() == "Gold"


@pytest.mark.parametrize("cut", ["before sending", "after sending", "before recording"])
def test_an_interrupted_deployment_goes_on(
    tester: TesterChain, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    def stop(*_: Any) -> None:
        raise PowerCut

    def send_and_stop(transaction: Any, before: Any) -> HexBytes:
        if cut == "before sending":
            before(HexBytes(32 * b"\x01"))  # written down, and never sent
        else:
            before(tester.web3.eth.send_transaction(transaction))
        raise PowerCut

    with monkeypatch.context() as patch:
        if cut == "before recording":
            patch.setattr(tester.registrar, "set_contract_address", stop)
        else:
            patch.setattr(tester, "send", send_and_stop)
        with pytest.raises(PowerCut):
            Deployment(tester, TOKEN).run(["Token"])
    done = Deployment(tester, TOKEN).run(["Token"])
    assert sent(tester) == 2  # Math and Token, each once
    assert tester.provider.get_contract("Token").address == done[1].address
    assert tester.registrar.noted("pending", "Math") is None


def test_a_transaction_that_takes_long_is_waited_for_by_the_next_run(tester: TesterChain) -> None:
    tester.tester.disable_auto_mine_transactions()
    with pytest.raises(DeploymentError, match=r"within 0 seconds(.|\n)*same command again"):
        Deployment(tester, wait_seconds=0).run(["Math"])
    tester.tester.enable_auto_mine_transactions()
    (done,) = Deployment(tester).run(["Math"])
    assert sent(tester) == 1
    assert tester.provider.get_contract("Math").address == done.address


def test_a_failed_transaction_of_an_earlier_run_is_sent_anew(
    tester: TesterChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_with_too_little_gas(transaction: Any, before: Any) -> HexBytes:
        tester.tester.disable_auto_mine_transactions()
        txn_hash = tester.web3.eth.send_transaction({**transaction, "gas": 100_000})
        tester.tester.enable_auto_mine_transactions()
        before(txn_hash)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(tester, "send", send_with_too_little_gas)
        with pytest.raises(PowerCut):
            Deployment(tester).run(["Math"])
    (done,) = Deployment(tester).run(["Math"])
    assert sent(tester) == 2
    assert tester.provider.get_contract("Math").address == done.address


@pytest.mark.parametrize(
    ("names", "arguments", "culprit"),
    [
        (["Token"], {}, "Token takes 3 arguments"),
        (["Token"], {"Token": ["Gold", 0, "Math"]}, "Token refuses.*no supply"),
        (["IToken"], {}, "IToken is abstract"),
    ],
)
def test_what_cannot_work_is_told(
    tester: TesterChain, names: list[str], arguments: dict[str, Any], culprit: str
) -> None:
    with pytest.raises(DeploymentError, match=culprit):
        Deployment(tester, arguments).run(names)


def test_a_wrong_argument_later_in_the_list_stops_it_before_it_begins(tester: TesterChain) -> None:
    with pytest.raises(DeploymentError, match="supply"):
        Deployment(tester, {"Token": ["Gold", "much", "Math"]}).run(["Math", "Token"])
    assert sent(tester) == 0


def test_arguments_for_a_contract_that_is_none_are_refused(tester: TesterChain) -> None:
    with pytest.raises(UnknownContract, match="Tokn"):
        Deployment(tester, {"Tokn": []}).run(["Math"])


def test_an_account_that_cannot_pay_is_named(tester: TesterChain) -> None:
    tester.tester.add_account("0x" + 64 * "7")
    poor = tester.web3.eth.accounts[-1]
    tester.web3.eth.default_account = poor
    with pytest.raises(DeploymentError, match=f"{poor} has 0 ether"):
        Deployment(tester).run(["Math"])
