"""Nodes that are slow to please: what `RpcEndpoint` makes of their answers."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from web3 import HTTPProvider, Web3
from web3.providers.base import BaseProvider

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Call
from perun.bindings.failures import (
    Garbled,
    NodeBusy,
    NodeRefused,
    NodeUnreachable,
    PoolRefused,
)
from perun.bindings.gas import MOST_GAS
from perun.chain.endpoint import Block
from perun.chain.rpc import RpcEndpoint, connect
from perun.errors import ChainFault
from perun.types import ETH, Address, UnixTime, Wei

CONTRACT = Address(b"\x11" * 20)
WORD = "0x" + "22" * 32


class Node(BaseProvider):
    """Has a log in each block, and refuses to look through more than `most` blocks at once."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self.most = most
        self.asked: list[tuple[int, int]] = []

    def make_request(self, method: Any, params: Any) -> Any:
        answer = {"jsonrpc": "2.0", "id": 1}
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            self.asked.append((first, last))
            if last - first >= self.most:
                error = {"code": -32005, "message": "query exceeds max block range"}
                return {**answer, "error": error}
            return {**answer, "result": [_log(number) for number in range(first, last + 1)]}
        if method == "eth_getBlockByNumber" and params[0] == "finalized":
            return {**answer, "error": {"code": -39001, "message": "unknown block"}}
        return {**answer, "result": None}


def _log(number: int) -> dict[str, Any]:
    return {
        "address": "0x" + CONTRACT.hex(),
        "topics": [WORD],
        "data": "0x",
        "blockNumber": hex(number),
        "blockHash": WORD,
        "transactionHash": WORD,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


def test_too_long_a_range_is_asked_for_in_halves_and_loses_nothing() -> None:
    node = Node(most=40)
    found = RpcEndpoint(Web3(node)).logs((CONTRACT,), 1, 200)
    assert [log.block for log in found] == list(range(1, 201))
    assert node.asked[0] == (1, 200)


@pytest.mark.parametrize(
    ("status", "found"),
    [(400, 100), (408, 100), (413, 100), (502, 100), (503, 100), (504, 100), (429, 0), (401, 0)],
)
def test_range_may_be_refused_in_http_too(status: int, found: int) -> None:
    class Strict(Node):
        def make_request(self, method: Any, params: Any) -> Any:
            answer = super().make_request(method, params)
            if "error" in answer:
                response = requests.Response()
                response.status_code = status
                raise requests.HTTPError(response=response)
            return answer

    node = Strict(most=40)
    seen = 0
    with contextlib.suppress(NodeUnreachable):
        seen = len(RpcEndpoint(Web3(node)).logs((CONTRACT,), 1, 100))
    assert seen == found


def test_node_that_refuses_even_few_blocks_is_not_asked_for_ever() -> None:
    node = Node(most=0)
    with pytest.raises(NodeRefused):
        RpcEndpoint(Web3(node)).logs((CONTRACT,), 1, 10_000)
    assert len(node.asked) < 20


def test_empty_range_is_not_asked_for() -> None:
    node = Node()
    assert RpcEndpoint(Web3(node)).logs((CONTRACT,), 5, 4) == ()
    assert node.asked == []


def test_missing_block_is_none_and_not_an_error() -> None:
    assert RpcEndpoint(Web3(Node())).block(7) is None


def test_refused_finality_tag_means_that_nothing_is_final_yet() -> None:
    assert RpcEndpoint(Web3(Node())).finalized() is None


def test_node_without_transaction_says_nothing_of_it() -> None:
    assert RpcEndpoint(Web3(Node())).mined(b"\x01" * 32) is None


@pytest.fixture
def website() -> Iterator[str]:
    """Something that answers, and is no node."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_website_is_no_node(website: str) -> None:
    with pytest.raises(ChainFault):
        connect(website)


def test_nobody_there() -> None:
    with pytest.raises(NodeUnreachable):
        connect("http://127.0.0.1:9")


class Babbler(BaseProvider):
    """Answers everything with the same thing."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result

    def make_request(self, method: Any, params: Any) -> Any:
        return {"jsonrpc": "2.0", "id": 1, "result": self.result}


_PENDING = {**_log(7), "blockNumber": None, "blockHash": None, "logIndex": None}


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {},
        "",
        "0x",
        "0xzz",
        "yes",
        7,
        -1,
        [1],
        [{}],
        [None],
        {"number": "0x1"},
        [_PENDING],
    ],
    ids=str,
)
def test_nonsense_is_a_fault_of_the_node_and_no_crash(result: Any) -> None:
    endpoint = RpcEndpoint(Web3(Babbler(result)))
    asked = (
        lambda: endpoint.block(),
        lambda: endpoint.block(7),
        lambda: endpoint.logs((CONTRACT,), 1, 9),
        lambda: endpoint.next_nonce(CONTRACT),
        lambda: endpoint.balance(CONTRACT),
        lambda: endpoint.tip(),
        lambda: endpoint.estimate(Call(CONTRACT, b""), CONTRACT),
        lambda: endpoint.ask(ms_contract_calls.credit(CONTRACT, ETH, CONTRACT), 7),
        lambda: endpoint.mined(b"\x01" * 32),
        lambda: endpoint.send(b"\x02"),
        lambda: endpoint.chain_id,
    )
    for question in asked:
        with contextlib.suppress(ChainFault):
            question()


ABSURD = ("0x1" + "0" * 64, hex(2**20_000), "-0x1", "0x-1", -1, 2**256, 1e300, 1.5, True)
"""Numbers that no chain has."""


@pytest.mark.parametrize("number", ABSURD, ids=lambda number: str(number)[:9])
@pytest.mark.parametrize("method", ["chain_now", "next_nonce", "balance", "tip", "estimate"])
def test_number_that_no_chain_has_is_not_believed(method: str, number: object) -> None:
    """Reckoned with or printed it would end the chain's thread; a JSON number may be meant well."""
    endpoint = RpcEndpoint(Web3(Babbler(number)))
    given: dict[str, tuple[Any, ...]] = {
        "next_nonce": (CONTRACT,),
        "balance": (CONTRACT,),
        "estimate": (Call(CONTRACT, b""), CONTRACT),
    }
    with pytest.raises(Garbled):
        getattr(endpoint, method)(*given.get(method, ()))


@pytest.mark.parametrize("field", ["gasUsed", "effectiveGasPrice"])
@pytest.mark.parametrize("number", ABSURD[:3] + ABSURD[4:], ids=lambda number: str(number)[:9])
def test_absurd_price_in_a_receipt_is_none(field: str, number: object) -> None:
    """What became of a transaction never waits for what it cost."""
    node = Quirky(eth_getTransactionReceipt={**RECEIPT, field: number})
    found = RpcEndpoint(Web3(node)).mined(b"\x01" * 32)
    assert found is not None
    assert (found.block, found.succeeded, found.paid) == (7, True, 0)


def test_estimate_beyond_any_transaction_is_the_most_there_is() -> None:
    endpoint = RpcEndpoint(Web3(Babbler(hex(2**255))))
    assert endpoint.estimate(Call(CONTRACT, b""), CONTRACT) == MOST_GAS


@pytest.mark.parametrize("nonce", [2**63, 2**64 - 1, 2**256 - 1])
def test_nonce_that_no_account_has_is_not_believed(nonce: int) -> None:
    with pytest.raises(ChainFault):
        RpcEndpoint(Web3(Babbler(hex(nonce)))).next_nonce(CONTRACT)


def test_node_that_turns_into_a_website_is_asked_again(website: str) -> None:
    endpoint = RpcEndpoint(Web3(HTTPProvider(website, exception_retry_configuration=None)))
    with pytest.raises(ChainFault):
        endpoint.block()


# ------------------------------------------------------------------------------ quirks of the field


class Quirky(BaseProvider):
    """Answers by method; what it does not know it refuses."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[str] = []

    def make_request(self, method: Any, params: Any) -> Any:
        self.asked.append(method)
        found = self.answers.get(method, Exception)
        if callable(found) and found is not Exception:
            found = found(*params)
        if found is Exception:
            error = {"code": -32601, "message": f"the method {method} does not exist"}
            return {"jsonrpc": "2.0", "id": 1, "error": error}
        if isinstance(found, dict) and "message" in found:
            return {"jsonrpc": "2.0", "id": 1, "error": found}
        return {"jsonrpc": "2.0", "id": 1, "result": found}


BLOCK = {"number": "0x7", "hash": WORD, "timestamp": "0x9", "baseFeePerGas": "0x64"}


@pytest.mark.parametrize("length", [0, 32, 97, 517])
def test_seal_of_a_block_may_have_any_length(length: int) -> None:
    node = Quirky(eth_getBlockByNumber={**BLOCK, "extraData": "0x" + "d7" * length})
    found = RpcEndpoint(Web3(node)).block()
    assert found is not None
    assert (found.number, found.time, found.base_fee) == (7, 9, 100)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": hex(2**64)},
        {"timestamp": hex(2**70)},
        {"hash": "0x22"},
        {"number": "-0x1"},
        {"baseFeePerGas": "lots"},
    ],
    ids=str,
)
def test_block_that_no_chain_has_is_no_block(wrong: dict[str, str]) -> None:
    node = Quirky(eth_getBlockByNumber={**BLOCK, **wrong})
    with pytest.raises(ChainFault):
        RpcEndpoint(Web3(node)).block()


def test_logs_that_are_in_no_block_are_none() -> None:
    logs = [_log(3), {**_log(4), "removed": True}, _PENDING]
    found = RpcEndpoint(Web3(Quirky(eth_getLogs=logs))).logs((CONTRACT,), 1, 9)
    assert [log.block for log in found] == [3]


def test_logs_keep_the_place_that_they_say() -> None:
    logs = [{**_log(3), "logIndex": "0x5", "transactionIndex": "0x2"}]
    (found,) = RpcEndpoint(Web3(Quirky(eth_getLogs=logs))).logs((CONTRACT,), 1, 9)
    assert found.place == (3, 2, 5)


HEADER = Block(7, bytes.fromhex("22" * 32), UnixTime(9), Wei(0))


def test_logs_of_a_block_are_asked_for_by_its_hash() -> None:
    seen = []

    def logs(wanted: Any) -> Any:
        seen.append(wanted)
        return [_log(7)]

    RpcEndpoint(Web3(Quirky(eth_getLogs=logs))).logs_of((CONTRACT,), HEADER)
    assert [wanted.get("blockHash") for wanted in seen] == [WORD]


def test_node_that_does_not_have_the_block_says_so() -> None:
    unknown = {"code": -32000, "message": "unknown block"}
    with pytest.raises(NodeBusy):
        RpcEndpoint(Web3(Quirky(eth_getLogs=unknown))).logs_of((CONTRACT,), HEADER)


def test_node_that_takes_no_hash_is_asked_by_number() -> None:
    def logs(wanted: Any) -> Any:
        if "blockHash" in wanted:
            return {"code": -32602, "message": "invalid argument 0: unknown field blockHash"}
        return [_log(7)]

    node = Quirky(eth_getLogs=logs)
    endpoint = RpcEndpoint(Web3(node))
    for _ in range(2):
        assert [log.block for log in endpoint.logs_of((CONTRACT,), HEADER)] == [7]
    assert len(node.asked) == 3  # once is enough to learn it


@pytest.mark.parametrize(
    ("answers", "tip"),
    [
        ({"eth_maxPriorityFeePerGas": "0x5"}, 5),
        ({"eth_gasPrice": "0x6e", "eth_getBlockByNumber": BLOCK}, 10),
        ({"eth_gasPrice": "0x1", "eth_getBlockByNumber": BLOCK}, 0),
    ],
    ids=["said", "from a price", "of a price below the base fee"],
)
def test_tip_is_learnt_in_whatever_way_a_node_knows(answers: dict[str, Any], tip: int) -> None:
    assert RpcEndpoint(Web3(Quirky(**answers))).tip() == tip


RECEIPT = {
    "transactionHash": "0x" + "01" * 32,
    "blockNumber": "0x7",
    "gasUsed": "0x64",
    "status": "0x1",
    "effectiveGasPrice": "0x2",
    "logs": [],
}


def test_receipt_without_a_price_tells_all_the_rest() -> None:
    receipt = {name: said for name, said in RECEIPT.items() if name != "effectiveGasPrice"}
    found = RpcEndpoint(Web3(Quirky(eth_getTransactionReceipt=receipt))).mined(b"\x01" * 32)
    assert found is not None
    assert (found.block, found.succeeded, found.gas_used, found.paid) == (7, True, 100, 0)


def test_receipt_of_what_still_waits_is_none() -> None:
    receipt = {**RECEIPT, "blockNumber": None}
    node = Quirky(eth_getTransactionReceipt=receipt)
    assert RpcEndpoint(Web3(node)).mined(b"\x01" * 32) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"transactionHash": "0x" + "02" * 32},
        {"status": None},
        {"blockNumber": hex(2**20_000)},
        {"blockNumber": -1},
    ],
    ids=lambda wrong: str(wrong)[:24],
)
def test_receipt_that_says_nothing_of_ours_is_a_fault(wrong: dict[str, Any]) -> None:
    node = Quirky(eth_getTransactionReceipt={**RECEIPT, **wrong})
    with pytest.raises(Garbled):
        RpcEndpoint(Web3(node)).mined(b"\x01" * 32)


def test_refusal_of_a_pool_is_told_from_all_others() -> None:
    error = {"code": -32000, "message": "tx fee (1.63 ether) exceeds the configured cap"}
    with pytest.raises(PoolRefused, match="cap"):
        RpcEndpoint(Web3(Quirky(eth_sendRawTransaction=error))).send(b"\x02")


def test_range_that_takes_too_long_is_shorter_in_the_next_round() -> None:
    """A round waits in vain once, and not for one half after the other."""

    class Slow(Node):
        def make_request(self, method: Any, params: Any) -> Any:
            answer = super().make_request(method, params)
            if "error" in answer:
                raise requests.ReadTimeout
            return answer

    node = Slow(most=40)
    endpoint = RpcEndpoint(Web3(node))
    rounds = 0
    while True:
        asked = len(node.asked)
        try:
            found = endpoint.logs((CONTRACT,), 1, 1_000)
        except NodeUnreachable:
            rounds += 1
            assert len(node.asked) == asked + 1
            continue
        break
    assert (rounds, len(found)) == (3, 1_000)


def test_length_that_was_not_the_reason_is_not_remembered() -> None:
    node = Node(most=0)
    endpoint = RpcEndpoint(Web3(node))
    with pytest.raises(NodeRefused):
        endpoint.logs((CONTRACT,), 1, 20)
    node.most = 10**9
    node.asked.clear()
    endpoint.logs((CONTRACT,), 1, 20)
    assert node.asked == [(1, 20)]


def test_range_that_would_take_too_many_questions_is_not_begun() -> None:
    node = Node(most=5)
    endpoint = RpcEndpoint(Web3(node))
    with pytest.raises(NodeBusy):
        endpoint.logs((CONTRACT,), 1, 20_000_000)
    assert len(node.asked) < 40
    assert endpoint.reach < 20_000_000


def test_count_in_a_block_that_a_node_lacks_is_that_of_its_newest() -> None:
    def count(_: Any, which: Any) -> Any:
        return "0x5" if which == "latest" else {"code": -32000, "message": "header not found"}

    endpoint = RpcEndpoint(Web3(Quirky(eth_getTransactionCount=count)))
    assert endpoint.next_nonce(CONTRACT, 7) == 5
