"""A node behind a WebSocket: the same bounds as over HTTP, and word of new blocks."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from perun.bindings.failures import AnswerTooBig, Garbled, NodeUnreachable
from perun.chain.anvil import Anvil
from perun.chain.provider import MOST_BYTES
from perun.chain.rpc import connect, unasked
from perun.chain.websocket import SocketProvider
from perun.types import Address

Answer = Callable[[ServerConnection, dict[str, Any]], None]


@contextmanager
def node(answer: Answer) -> Iterator[str]:
    """A node that answers subscriptions, and everything else as it is told."""

    def handle(connection: ServerConnection) -> None:
        try:
            for said in connection:
                asked = json.loads(said)
                if asked["method"] == "eth_subscribe":
                    connection.send(json.dumps({"id": asked["id"], "result": "0x1"}))
                else:
                    answer(connection, asked)
        except ConnectionClosed:
            pass

    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def _ask(url: str, seconds: float = 5.0) -> Any:
    return SocketProvider(url, seconds).make_request("eth_chainId", [])  # type: ignore[arg-type]


def test_answer_comes_to_its_question() -> None:
    def answer(connection: ServerConnection, asked: dict[str, Any]) -> None:
        connection.send(json.dumps({"id": asked["id"] + 7, "result": "0x66"}))
        connection.send(json.dumps({"method": "eth_subscription", "params": {}}))
        connection.send(json.dumps({"id": asked["id"], "result": "0x1"}))

    with node(answer) as url:
        assert _ask(url)["result"] == "0x1"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("[" * 100_000, Garbled),
        ("[]", Garbled),
        (b"\xff\xfe", Garbled),
        ('"' + "x" * (MOST_BYTES + 1) + '"', AnswerTooBig),
    ],
)
def test_bad_answers_are_faults(said: str | bytes, fault: type[Exception]) -> None:
    with node(lambda connection, _: connection.send(said)) as url, pytest.raises(fault):
        _ask(url)


def test_silence_is_a_time_out() -> None:
    with node(lambda *_: None) as url, pytest.raises(NodeUnreachable, match="Timeout"):
        _ask(url, 0.2)


def test_chatter_does_not_put_the_end_off() -> None:
    def chatter(connection: ServerConnection, _: dict[str, Any]) -> None:
        while True:
            connection.send(json.dumps({"method": "eth_subscription"}))

    with node(chatter) as url, pytest.raises(NodeUnreachable, match="Timeout"):
        _ask(url, 0.2)


def test_node_that_reads_nothing_does_not_keep_us() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(NodeUnreachable):
            _ask(url, 0.2)


def test_late_answer_is_not_that_of_the_next_question() -> None:
    seen: list[int] = []

    def late(connection: ServerConnection, asked: dict[str, Any]) -> None:
        seen.append(asked["id"])
        if len(seen) == 2:
            connection.send(json.dumps({"id": asked["id"], "result": "0x2"}))

    with node(late) as url:
        provider = SocketProvider(url, 0.2)
        with pytest.raises(NodeUnreachable):
            provider.make_request("a", [])  # type: ignore[arg-type]
        assert provider.make_request("b", [])["result"] == "0x2"  # type: ignore[arg-type]


def test_null_for_a_list_of_logs_is_an_empty_one() -> None:
    def null(connection: ServerConnection, asked: dict[str, Any]) -> None:
        connection.send(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": None}))

    with node(null) as url:
        assert unasked(url).logs((Address(bytes(20)),), 1, 9) == ()


@pytest.mark.parametrize("url", ["ws://", "ws://127.0.0.1:99999", "ws://no.such.host.invalid"])
def test_no_node_is_a_fault(url: str) -> None:
    with pytest.raises(NodeUnreachable):
        connect(url)


@pytest.mark.chain
def test_node_says_when_there_is_a_block() -> None:
    with Anvil() as anvil:
        endpoint = connect(anvil.url.replace("http", "ws"))
        assert endpoint.block() == anvil.endpoint().block()
        timer = threading.Timer(0.2, anvil.mine)
        timer.start()
        begun = time.monotonic()
        assert endpoint.listen(60)
        assert time.monotonic() - begun < 30
        block = endpoint.block()
        assert block is not None
        assert block.number == 1
        timer.join()
