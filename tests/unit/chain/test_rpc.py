"""Nodes that are slow to please: what `RpcEndpoint` makes of their answers."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from web3 import Web3
from web3.providers.base import BaseProvider

from perun.bindings.failures import NodeRefused, NodeUnreachable
from perun.chain.rpc import RpcEndpoint, connect
from perun.errors import ChainFault
from perun.types import Address

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


def test_node_that_refuses_even_few_blocks_is_not_asked_for_ever() -> None:
    node = Node(most=0)
    with pytest.raises(NodeRefused, match="max block range"):
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
