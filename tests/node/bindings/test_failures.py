"""The same refusal is the same exception on every kind of chain and for every kind of request."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from eth_abi import abi
from eth_account import Account
from web3 import EthereumTesterProvider, HTTPProvider, Web3
from web3.exceptions import ContractLogicError, TimeExhausted, Web3RPCError
from web3.providers.base import BaseProvider

import perun
from perun import ETH, Deployment, Wei, reverts
from perun.bindings import (
    BadAnswer,
    Fees,
    Garbled,
    MSContract,
    NodeBusy,
    NodeRefused,
    NodeUnreachable,
    NotMined,
    transport,
)
from perun.bindings import ms_contract_calls as calls
from perun.bindings.translation import as_fault, revert_data
from perun.bindings.transport import submit
from perun.errors import BrokenInvariant
from tests.node.bindings.conftest import GAS

ANVIL = Path(__file__).parents[3] / "node_modules" / ".bin" / "anvil"


@pytest.fixture(scope="module")
def anvil() -> Iterator[Web3]:
    """A real node, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [ANVIL, "--host", "127.0.0.1", "--port", str(port), "--hardfork", "prague"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any("Listening on" in line for line in process.stdout)
            yield Web3(HTTPProvider(f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()


@pytest.fixture(
    scope="module",
    params=["populus", "plain", pytest.param("anvil", marks=pytest.mark.chain)],
)
def anywhere(request: pytest.FixtureRequest) -> Deployment:
    """The suite on the chain of the Populus fixtures, on web3's own, and on a real node."""
    if request.param == "populus":
        return request.getfixturevalue("suite")
    if request.param == "plain":
        return perun.deploy(Web3(EthereumTesterProvider()), gas=6_000_000)
    if not ANVIL.exists():
        pytest.skip("needs the Node packages")
    return perun.deploy(request.getfixturevalue("anvil"))


def test_transactions_and_questions_are_refused_alike(anywhere: Deployment) -> None:
    ms = anywhere.ms_contract
    sender = perun.address(ms.web3.eth.accounts[1])
    expected = (ETH, sender, 0, 5)
    # Estimated: refused before anything is sent.
    with pytest.raises(reverts.InsufficientCredit) as caught:
        ms.claim(ETH, Wei(5), sender, sender=sender)
    error = caught.value
    assert (error.asset, error.account, error.credit, error.amount) == expected
    assert error.transaction is None
    # With gas given it is mined, and the reason is asked for afterwards.
    with pytest.raises(reverts.InsufficientCredit) as caught:
        ms.claim(ETH, Wei(5), sender, sender=sender, gas=GAS)
    error = caught.value
    assert (error.asset, error.account, error.credit, error.amount) == expected
    mined = ms.web3.eth.get_transaction_receipt(error.transaction)
    assert mined["status"] == 0
    # A question: another contract's error, without fields that are zero.
    with pytest.raises(reverts.InvalidSignature) as asked:
        anywhere.lib_signatures.recover(perun.Digest(bytes(32)), b"12345")
    assert asked.value.length == 5


def test_a_time_limit_is_judged_by_the_block_that_mined_it(anywhere: Deployment) -> None:
    ms, now = anywhere.ms_contract, perun.now(anywhere.ms_contract.web3)
    alice, bob = (perun.address(account) for account in ms.web3.eth.accounts[:2])
    channel = perun.Channel(alice, bob, alice, bob, ETH, perun.Seconds(60), perun.new_nonce())
    limit = perun.UnixTime(now - 1)
    with pytest.raises(reverts.TooLate) as caught:
        ms.open(channel, Wei(1), limit, sender=alice, gas=GAS)
    mined = ms.web3.eth.get_transaction_receipt(caught.value.transaction)
    block = ms.web3.eth.get_block(mined["blockNumber"])
    assert (caught.value.limit, caught.value.timestamp) == (limit, block["timestamp"])


def test_gas_that_does_not_suffice_is_said(anywhere: Deployment) -> None:
    ms = anywhere.ms_contract
    with pytest.raises(reverts.OutOfGas) as caught:
        ms.fund(ETH, ms.address, Wei(1), sender=ms.web3.eth.accounts[0], gas=30_000)
    assert caught.value.limit == 30_000
    assert caught.value.retry


def test_accounts_and_keys_sign_here(anywhere: Deployment) -> None:
    ms, rich = anywhere.ms_contract, anywhere.ms_contract.web3.eth.accounts[0]
    account, key = Account.create(), perun.new_key()
    for sender in (account, key):
        ms.web3.eth.send_transaction(
            {"from": rich, "to": perun.checksum(sender), "value": 10**18, "gas": 21_000}
        )
        receipt = ms.fund(ETH, sender, Wei(7), sender=sender)
        assert receipt.only(perun.events.Credited).account == perun.address(sender)
        sent = ms.web3.eth.get_transaction(receipt.transaction)
        assert (sent["from"], sent["type"]) == (perun.checksum(sender), 2)


def test_fees_are_taken_as_given(anywhere: Deployment) -> None:
    web3, fees = anywhere.ms_contract.web3, Fees(Wei(10**11), Wei(10**9))
    call = calls.fund(anywhere.ms_contract.address, ETH, anywhere.vpm.address, Wei(1))
    mined = submit(web3, call, web3.eth.accounts[0], gas=GAS, fees=fees)
    sent = web3.eth.get_transaction(mined["transactionHash"])
    assert (sent["maxFeePerGas"], sent["maxPriorityFeePerGas"]) == (10**11, 10**9)


def test_no_contract_at_the_address(anywhere: Deployment) -> None:
    nothing = MSContract(anywhere.ms_contract.web3, perun.new_key())
    with pytest.raises(BadAnswer):
        nothing.credit(ETH, nothing.address)


def test_another_contract_at_the_address(anywhere: Deployment) -> None:
    other = MSContract(anywhere.ms_contract.web3, anywhere.vpm.address)
    with pytest.raises(reverts.UnknownRevert) as caught:
        other.credit(ETH, other.address)
    assert caught.value.answer == b""


def test_one_event_was_expected(suite: Deployment) -> None:
    ms = suite.ms_contract
    receipt = ms.fund(ETH, ms.address, Wei(1), sender=ms.web3.eth.accounts[0], gas=GAS)
    with pytest.raises(BrokenInvariant):
        receipt.only(perun.events.Closed)


def test_a_node_that_is_not_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    # An address where nobody listens; one try, since waiting in between would take seconds.
    provider = HTTPProvider(f"http://127.0.0.1:{port}", exception_retry_configuration=None)
    with pytest.raises(NodeUnreachable) as caught:
        perun.now(Web3(provider))
    assert caught.value.retry


def test_a_transaction_that_is_not_mined(
    suite: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ms = suite.ms_contract

    def never(*_: object, **__: object) -> None:
        raise TimeExhausted

    monkeypatch.setattr(ms.web3.eth, "wait_for_transaction_receipt", never)
    with pytest.raises(NotMined) as caught:
        ms.fund(ETH, ms.address, Wei(1), sender=ms.web3.eth.accounts[0], gas=GAS)
    assert ms.web3.eth.get_transaction(caught.value.transaction)["to"] == perun.checksum(ms.address)
    assert caught.value.retry


class Saying(BaseProvider):
    """A node with one answer to everything but its chain."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self._answer = answer

    def make_request(self, method: Any, params: Any) -> Any:
        answer = {"result": "0x1"} if method == "eth_chainId" else self._answer
        return {"jsonrpc": "2.0", "id": 1, **answer}


class TransactionFailed(Exception):
    """Known by its name, which is eth-tester's."""


def chained(*errors: Exception) -> Exception:
    """The first, because of the second, and so on."""
    for effect, cause in pairwise(errors):
        effect.__cause__ = cause
    return errors[0]


ZERO = reverts.ZeroAddress.signature
DATA = perun.keccak(ZERO.encode())[:4]


@pytest.mark.parametrize(
    "error",
    [
        ContractLogicError("execution reverted", "0x" + DATA.hex()),
        Web3RPCError("reverted", rpc_response={"error": {"data": "0x" + DATA.hex()}}),
        Web3RPCError("reverted", rpc_response={"error": {"data": {"data": "0x" + DATA.hex()}}}),
        TransactionFailed(f"execution reverted: {DATA!r}"),
        TransactionFailed(repr(DATA)),
        chained(TransactionFailed("execution reverted"), TransactionFailed(Exception(DATA))),
    ],
)
def test_revert_data_is_found_wherever_it_stands(error: Exception) -> None:
    assert revert_data(error) == DATA
    assert type(as_fault(error)) is reverts.ZeroAddress


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ContractLogicError("execution reverted: no money"), reverts.RevertedWithReason),
        (TransactionFailed("execution reverted: no money"), reverts.RevertedWithReason),
        (ContractLogicError("execution reverted"), reverts.UnknownRevert),
        (ContractLogicError("execution reverted", "0x"), reverts.UnknownRevert),
        (TransactionFailed("b'not closed"), reverts.RevertedWithReason),
        (Web3RPCError("nonce too low"), NodeBusy),
        (ConnectionRefusedError(), NodeUnreachable),
        (ValueError("a bug"), type(None)),
        (KeyError(DATA), type(None)),
    ],
)
def test_other_failures(error: Exception, kind: type) -> None:
    fault = as_fault(error)
    assert type(fault) is kind
    if isinstance(fault, reverts.RevertedWithReason):
        assert fault.reason in {"no money", "b'not closed"}


@pytest.mark.parametrize(
    ("code", "message", "data"),
    [
        (-32000, "header not found", ...),
        (-32000, "header not found", None),
        (-32000, "header not found", "header not found"),
        (-32005, "daily request count exceeded", {"see": "https://example.org/limits"}),
        (-32603, "request timed out", {"trace_id": "7"}),
        (-32000, "missing trie node 5d1975 (path ) state 0x5d1975 is not available", ...),
        (429, "too many requests", {"rate": {"allowed_rps": 1}}),
    ],
)
def test_passing_trouble_is_no_contract_that_refuses(code: int, message: str, data: object) -> None:
    """web3 takes many of these for a revert, because of what stands beside the words."""
    error = {"code": code, "message": message} | ({} if data is ... else {"data": data})
    nobody = MSContract(Web3(Saying({"error": error})), perun.new_key())
    with pytest.raises(NodeBusy, match=message[:10]) as caught:
        nobody.credit(ETH, nobody.address)
    assert caught.value.retry


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x" + DATA.hex()}, "ZeroAddress"),
        ({"code": -32000, "message": "execution reverted"}, "UnknownRevert"),
        (
            {"code": -32015, "message": "VM execution error.", "data": "Reverted 0x"},
            "UnknownRevert",
        ),
        (
            {"code": -32000, "message": "VM Exception: revert no money", "data": {"0x": {}}},
            "RevertedWithReason",
        ),
    ],
)
def test_contracts_refuse_in_many_words(error: object, kind: str) -> None:
    nobody = MSContract(Web3(Saying({"error": error})), perun.new_key())
    with pytest.raises(reverts.Reverted) as caught:
        nobody.credit(ETH, nobody.address)
    assert type(caught.value).__name__ == kind


def test_question_that_a_node_does_not_know_is_not_asked_again() -> None:
    nobody = MSContract(
        Web3(Saying({"error": {"code": -32601, "message": "no such method"}})), perun.new_key()
    )
    with pytest.raises(NodeRefused) as caught:
        nobody.credit(ETH, nobody.address)
    assert not caught.value.retry


def test_nobody_is_sent_on_to_another_address() -> None:
    """EIP-3668: what a node answers would otherwise make us ask the network."""
    selector = perun.keccak(b"OffchainLookup(address,string[],bytes,bytes4,bytes)")[:4]
    urls = abi.encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"],
        ["0x" + "11" * 20, ["http://127.0.0.1:9/{sender}"], b"", b"1234", b""],
    )
    for data in (selector + urls, selector + bytes(320)):
        error = {"code": 3, "message": "execution reverted", "data": "0x" + data.hex()}
        nobody = MSContract(Web3(Saying({"error": error})), perun.new_key())
        with pytest.raises((reverts.UnknownRevert, Garbled)):
            nobody.credit(ETH, nobody.address)


@pytest.mark.parametrize(
    "literal",
    ["b''if " + "-" * 7000 + "1 else b''", "b''" + "-1" * 20_000, "b'" + "(" * 10**6, "b'\\xzz'"],
    ids=["conditional", "sum", "brackets", "escape"],
)
def test_revert_data_is_read_and_never_run(literal: str) -> None:
    error = Web3RPCError("execution reverted", rpc_response={"error": {"data": literal}})
    assert revert_data(error) is None
    assert as_fault(error) is not None


def test_what_a_stranger_says_is_short_and_obeyed_by_no_terminal() -> None:
    fault = as_fault(Web3RPCError("\x1b[2J" + "long " * 10**5))
    assert isinstance(fault, NodeRefused)
    assert fault.reason.isprintable()
    assert len(fault.reason) < 300


@pytest.mark.parametrize("lacks", ["gasUsed", "effectiveGasPrice", "logs"])
def test_receipt_may_lack_what_only_a_report_wants(
    suite: Deployment, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    ms = suite.ms_contract
    true = ms.web3.eth.wait_for_transaction_receipt

    def waited(*arguments: Any, **named: Any) -> Any:
        found = true(*arguments, **named)
        return {name: found[name] for name in found if name != lacks}

    monkeypatch.setattr(ms.web3.eth, "wait_for_transaction_receipt", waited)
    receipt = ms.fund(ETH, ms.address, Wei(1), sender=ms.web3.eth.accounts[0], gas=GAS)
    assert receipt.block > 0


def test_receipt_that_is_broken_names_the_transaction_that_was_mined(
    suite: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ms = suite.ms_contract
    true = ms.web3.eth.wait_for_transaction_receipt
    names = []

    def waited(*arguments: Any, **named: Any) -> Any:
        found = true(*arguments, **named)
        names.append(bytes(found["transactionHash"]).hex())
        return {**found, "logs": [{}]}

    monkeypatch.setattr(ms.web3.eth, "wait_for_transaction_receipt", waited)
    with pytest.raises(Garbled) as caught:
        ms.fund(ETH, ms.address, Wei(1), sender=ms.web3.eth.accounts[0], gas=GAS)
    assert names[0] in str(caught.value)


def test_receipt_without_a_price_is_a_receipt(suite: Deployment) -> None:
    ms = suite.ms_contract
    mined = submit(
        ms.web3, calls.fund(ms.address, ETH, ms.address, Wei(1)), ms.web3.eth.accounts[0], gas=GAS
    )
    known = {name: mined[name] for name in mined if name != "effectiveGasPrice"}  # type: ignore[literal-required]
    assert transport.paid(mined) > 0
    assert transport.paid(known) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x02\x03\x04", DATA[:3]])
def test_revert_data_that_nobody_knows(data: bytes) -> None:
    error = reverts.decode(data)
    assert isinstance(error, reverts.UnknownRevert)
    assert error.answer == error.data == data


def test_half_an_error_is_unknown_too() -> None:
    whole = perun.keccak(reverts.TooLate.signature.encode())[:4] + bytes(64)
    assert type(reverts.decode(whole)) is reverts.TooLate
    assert type(reverts.decode(whole[:-1])) is reverts.UnknownRevert


def test_messages_say_what_disagreed_and_what_to_do() -> None:
    error: Any = reverts.TooLate(perun.UnixTime(5), perun.UnixTime(6), transaction=b"\xab")
    assert str(error) == (
        "TooLate(limit=5, timestamp=6) in transaction 0xab; "
        "the limit's last second was still in time"
    )
