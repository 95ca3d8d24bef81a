"""Deployments beside others, after a change of comments, and transactions that do not move."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from hexbytes import HexBytes
from web3.exceptions import Web3RPCError

from populus import Project
from populus.chain import TesterChain
from populus.deploy import Deployment
from populus.exceptions import DeploymentError
from populus.linking import without_metadata
from populus.locking import one_at_a_time
from populus.sending import Price
from tests.tools.populus.conftest import Run, refused
from tests.tools.populus.test_deploy import TOKEN, sent

GWEI = 10**9


@pytest.fixture
def slow(tester: TesterChain) -> TesterChain:
    """Nothing is mined until it is told to."""
    tester.tester.disable_auto_mine_transactions()
    return tester


# -- fees, time, outbidding ----------------------------------------------------------------


def test_price_is_what_was_asked_for(tester: TesterChain) -> None:
    price = Price(most=50 * GWEI, tip=3 * GWEI)
    (done,) = Deployment(tester, price=price).run(["Math"])
    assert done.transaction is not None
    transaction = tester.web3.eth.get_transaction(done.transaction)
    assert transaction["maxFeePerGas"] == 50 * GWEI
    assert transaction["maxPriorityFeePerGas"] == 3 * GWEI


def test_tip_is_never_above_the_most(tester: TesterChain) -> None:
    (done,) = Deployment(tester, price=Price(most=2 * GWEI, tip=9 * GWEI)).run(["Math"])
    assert done.transaction is not None
    assert tester.web3.eth.get_transaction(done.transaction)["maxPriorityFeePerGas"] == 2 * GWEI


def test_what_waits_is_named_with_ways_out(slow: TesterChain) -> None:
    with pytest.raises(
        DeploymentError, match=r"within 0 seconds(.|\n)*same command again(.|\n)*--replace"
    ):
        Deployment(slow, wait_seconds=0).run(["Math"])


def test_interrupted_wait_names_the_transaction(
    slow: TesterChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(slow.wait, "for_one_of", interrupt)
    with pytest.raises(DeploymentError, match=r"Interrupted\. Transaction 0x[0-9a-f]{64}"):
        Deployment(slow).run(["Math"])


def test_transaction_a_node_has_forgotten_keeps_its_nonce(tester: TesterChain) -> None:
    """It may come back: with another nonce the contract would be paid for twice."""
    noted = {"created": "0x" + 64 * "1", "transaction": "0x" + 64 * "2", "nonce": 0, "earlier": []}
    tester.registrar.note("pending", "Math", noted)
    (done,) = Deployment(tester).run(["Math"])
    assert done.transaction is not None
    assert tester.web3.eth.get_transaction(done.transaction)["nonce"] == 0
    assert sent(tester) == 1


def test_nonce_that_somebody_used_is_not_taken_again(tester: TesterChain) -> None:
    eth = tester.web3.eth
    eth.send_transaction({"to": eth.accounts[1], "value": 1})
    noted = {"created": "0x" + 64 * "1", "transaction": "0x" + 64 * "2", "nonce": 0, "earlier": []}
    tester.registrar.note("pending", "Math", noted)
    Deployment(tester).run(["Math"])
    assert sent(tester) == 2


def test_refused_nonce_is_one_sentence(
    tester: TesterChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> HexBytes:
        raise Web3RPCError("{'code': -32003, 'message': 'nonce too low'}")

    monkeypatch.setattr(tester, "send", refuse)
    with pytest.raises(DeploymentError, match=r"Another transaction of 0x.* went first"):
        Deployment(tester).run(["Math"])


# -- two at once ---------------------------------------------------------------------------


def test_one_at_a_time_waits_and_says_so() -> None:
    order: list[str] = []
    inside, told = threading.Event(), threading.Event()

    def first() -> None:
        with one_at_a_time("test-two", lambda: None):
            inside.set()
            told.wait(30)
            order.append("first")

    def waiting() -> None:
        order.append("waiting")
        told.set()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(30)
    with one_at_a_time("test-two", waiting):
        order.append("second")
    thread.join(30)
    assert order == ["waiting", "first", "second"]


def test_library_that_moves_meanwhile_does_not_confuse(
    tester: TesterChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process deploys its own Library13 while Multiply13 is on its way."""
    send = tester.send

    def send_and_move(transaction: Any, before: Any) -> HexBytes:
        txn_hash = send(transaction, before)
        if tester.web3.eth.get_transaction_count(transaction["from"]) == 2:
            tester.provider.deploy_contract("Library13")
        return txn_hash

    monkeypatch.setattr(tester, "send", send_and_move)
    done = Deployment(tester).run(["Multiply13"])
    assert [item.name for item in done] == ["Library13", "Multiply13"]


# -- comments are no code ------------------------------------------------------------------


def test_comment_costs_nothing(sample: Path) -> None:
    for name in ("Token.sol", "Refuser.sol"):
        (sample / "contracts" / name).unlink()
    with Project(sample).get_chain("tester") as chain:
        assert isinstance(chain, TesterChain)
        Deployment(chain).run(["Multiply13"])
        before = sent(chain)
        source = sample / "contracts" / "Math.sol"
        source.write_text(source.read_text() + "// a remark\n")
        old = chain.project.compiled_contract_data["Math"]["bytecode"]
        chain.project.reload_sources()  # type: ignore[attr-defined]
        chain.provider.forget()
        assert chain.project.compiled_contract_data["Math"]["bytecode"] != old
        again = Deployment(chain).run(["Multiply13"])
        assert [item.transaction for item in again] == [None, None]
        assert sent(chain) == before
        source.write_text(source.read_text().replace("a * 7", "a * 8"))
        chain.project.reload_sources()  # type: ignore[attr-defined]
        chain.provider.forget()
        assert Deployment(chain).run(["Math"])[0].transaction is not None


@pytest.mark.parametrize(
    "prefix", ["64697066735822" + "1220", "65627a7a7230" + "5820", "65627a7a7231" + "5820"]
)
def test_hashes_of_metadata_are_left_out_wherever_they_stand(prefix: str) -> None:
    def code(hashed: str) -> bytes:
        return bytes.fromhex("6001a1" + prefix + 64 * hashed + "0029" + "6002")

    assert without_metadata(code("1")) == without_metadata(code("2")) != code("1")
    assert without_metadata(bytes(64)) == bytes(64)


# -- the command ---------------------------------------------------------------------------


def test_dry_run_sends_nothing_and_says_all(sample: Path, run: Run) -> None:
    result = run(sample, "deploy", "-c", "tester", "--dry-run")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == ["Library13", "Multiply13", "Math", "Token"]
    assert all(re.search(r"would be deployed at 0x[0-9a-fA-F]{40}: ", line) for line in lines)
    assert "gas, at most" in lines[0]


def test_dry_run_tells_the_addresses_that_come(tester: TesterChain) -> None:
    told = [line.split()[5].rstrip(":") for line in Deployment(tester, TOKEN).plan(["Token"])]
    assert sent(tester) == 0
    assert told == [item.address for item in Deployment(tester, TOKEN).run(["Token"])]


def test_fees_are_given_in_gwei(sample: Path, run: Run) -> None:
    assert (
        run(sample, "deploy", "-c", "tester", "--max-fee", "2.5", "--tip", "1", "Math").exit_code
        == 0
    )
    refused(run(sample, "deploy", "-c", "tester", "--tip", "much", "Math"), "'much'")
