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
from perun.bindings.failures import NodeRefused, NodeUnreachable
from perun.chain.rpc import RpcEndpoint, connect
from perun.errors import ChainFault
from perun.types import ETH, Address

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


@pytest.mark.parametrize("nonce", [2**63, 2**64 - 1, 2**256 - 1])
def test_nonce_that_no_account_has_is_not_believed(nonce: int) -> None:
    with pytest.raises(ChainFault):
        RpcEndpoint(Web3(Babbler(hex(nonce)))).next_nonce(CONTRACT)


def test_node_that_turns_into_a_website_is_asked_again(website: str) -> None:
    endpoint = RpcEndpoint(Web3(HTTPProvider(website, exception_retry_configuration=None)))
    with pytest.raises(ChainFault):
        endpoint.block()
