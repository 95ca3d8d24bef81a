"""Bounds of an answer: its whole time, its size packed and unpacked, its depth."""

from __future__ import annotations

import gzip
import http.server
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from perun.bindings.failures import AnswerTooBig, Garbled, NodeUnreachable
from perun.chain.provider import MOST_BYTES, MOST_DEPTH, BoundedProvider, _depth, decode
from perun.chain.rpc import RpcEndpoint
from perun.types import Address

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]

SHORT = 0.3
"""Seconds; only what never ends reaches them."""


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A node that answers like this."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        ended = over

        def do_POST(self) -> None:
            self.asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Quietly."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Who is asked for too much goes away."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


def say(
    handler: http.server.BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def ask(url: str, seconds: float = 60) -> RPCResponse:
    return BoundedProvider(url, seconds).make_request(RPCEndpoint("eth_chainId"), [])


OK = {"jsonrpc": "2.0", "result": "0x1"}


def to(handler: http.server.BaseHTTPRequestHandler, answer: dict[str, Any]) -> bytes:
    """An answer to what was asked."""
    return json.dumps({"id": json.loads(handler.asked)["id"], **answer}).encode()  # type: ignore[attr-defined]


def drips_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**6))
    handler.end_headers()
    while not handler.ended.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b" ")


def drips_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.ended.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b"x")


def drips_chunks(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.ended.wait(0.02):  # type: ignore[attr-defined]
        handler.wfile.write(b"1\r\n \r\n")


def says_nothing(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.ended.wait()  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [drips_body, drips_headers, drips_chunks, says_nothing])
def test_time_limit_holds_for_the_whole_answer(answer: Answer) -> None:
    with serving(answer) as url, pytest.raises(NodeUnreachable, match="Timeout"):
        ask(url, SHORT)


def bomb(handler: http.server.BaseHTTPRequestHandler) -> None:
    say(handler, gzip.compress(b" " * 20 * MOST_BYTES), Content_Encoding="gzip")


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while not handler.ended.is_set():  # type: ignore[attr-defined]
        handler.wfile.write(b" " * 2**16)


@pytest.mark.parametrize("answer", [bomb, endless])
def test_size_limit_holds_for_what_is_unpacked(answer: Answer) -> None:
    with serving(answer) as url, pytest.raises(AnswerTooBig):
        ask(url)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" * 10**6 + b"]" * 10**6, {}),
        (b'{"a":' * 10**5 + b"1" + b"}" * 10**5, {}),
        (b"<html>", {}),
        (b"", {}),
        (b"[]", {}),
        (b"no gzip", {"Content_Encoding": "gzip"}),
        (gzip.compress(b'{"id": 0, "result": "0x1"}'), {"Content_Encoding": "br"}),
    ],
    ids=["lists", "objects", "page", "nothing", "list", "bad gzip", "unknown coding"],
)
def test_nonsense_is_a_fault(body: bytes, headers: dict[str, str]) -> None:
    with serving(lambda handler: say(handler, body, **headers)) as url, pytest.raises(Garbled):
        ask(url)


def numbered(change: Callable[[Any], dict[str, Any]]) -> Answer:
    """A node that answers, and to a question's number says what comes of it."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        number = json.loads(handler.asked)["id"]  # type: ignore[attr-defined]
        say(handler, json.dumps(change(number)).encode())

    return answer


@pytest.mark.parametrize(
    "change",
    [
        lambda number: {"id": number - 1, "result": "0x1"},
        lambda _: {"id": None, "result": "0x1"},
        lambda _: {"result": "0x1"},
        lambda number: {"id": [number], "result": "0x1"},
        lambda number: {"id": number + 1, "error": {"code": 3, "message": "execution reverted"}},
    ],
    ids=["another's", "nobody's", "without", "a list", "another's refusal"],
)
def test_answer_to_another_question_is_none(change: Callable[[Any], dict[str, Any]]) -> None:
    with serving(numbered(change)) as url, pytest.raises(Garbled, match="another question"):
        ask(url)


@pytest.mark.parametrize(
    "change",
    [
        lambda number: {"id": str(number), "result": "0x1"},
        lambda _: {"id": None, "error": {"code": -32600, "message": "what?"}},
        lambda _: {"error": {"code": -32005, "message": "slowly"}},
    ],
    ids=["as text", "an error to nobody", "an error without"],
)
def test_answer_that_says_its_question_otherwise_counts(
    change: Callable[[Any], dict[str, Any]],
) -> None:
    with serving(numbered(change)) as url:
        assert ask(url)


def test_null_for_a_list_of_logs_is_an_empty_one_and_for_all_else_a_fault() -> None:
    """Programs whose lists may be absent write it so; refusing it would leave us blind for ever."""
    null = numbered(lambda number: {"jsonrpc": "2.0", "id": number, "result": None})
    with serving(null) as url:
        endpoint = RpcEndpoint(Web3(HTTPProvider(url)))
        assert endpoint.logs((Address(bytes(20)),), 1, 9) == ()
        with pytest.raises(Garbled):
            endpoint.next_nonce(Address(bytes(20)))


def test_two_clients_do_not_number_their_questions_alike() -> None:
    """Else whoever mixes up their answers is not found out."""
    asked: list[int] = []

    def note(number: int) -> dict[str, Any]:
        asked.append(number)
        return {"id": number, "result": "0x1"}

    with serving(numbered(note)) as url:
        for _ in range(4):
            ask(url)
    assert len(set(asked)) == 4


def test_answer_may_be_packed() -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        say(handler, gzip.compress(to(handler, OK)), Content_Encoding="gzip")

    with serving(answer) as url:
        assert ask(url)["result"] == "0x1"


def test_connection_is_kept_from_one_question_to_the_next() -> None:
    ports = set()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        say(handler, to(handler, OK))

    with serving(answer) as url:
        provider = BoundedProvider(url, 60)
        for _ in range(3):
            provider.make_request(RPCEndpoint("eth_chainId"), [])
    assert len(ports) == 1


def test_status_of_http_is_kept_unless_the_body_is_an_answer() -> None:
    error = {"id": None, "error": {"code": -32005, "message": "range too long"}}
    bodies = itertools.cycle([b"<html>", json.dumps(error).encode()])
    with serving(lambda handler: say(handler, next(bodies), 400)) as url:
        with pytest.raises(NodeUnreachable) as caught:
            ask(url)
        assert caught.value.status == 400
        assert ask(url) == error


def test_nobody_is_sent_on_to_another_address() -> None:
    with (
        serving(
            lambda handler: say(handler, to(handler, OK), 302, Location="http://127.0.0.1:9/")
        ) as url,
        pytest.raises(NodeUnreachable, match="302"),
    ):
        ask(url)


def test_any_web3_over_http_is_asked_within_the_bounds() -> None:
    with serving(lambda handler: say(handler, b"[" * 10**5)) as url:
        provider = HTTPProvider(url, {"headers": {"Authorization": "x"}, "timeout": 5})
        endpoint = RpcEndpoint(Web3(provider))
        with pytest.raises(Garbled):
            endpoint.block()
        assert endpoint.web3.provider._headers["Authorization"] == "x"  # type: ignore[attr-defined]


_VALUES = st.recursive(
    st.none() | st.integers(-(2**40), 2**40) | st.text(alphabet='ab"\\[]{}\n', max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("[{", max_size=2), inner),
    max_leaves=60,
)


def _true_depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_true_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_true_depth, value), default=0)
    return 0


@given(_VALUES)
def test_depth_is_that_of_the_value(value: object) -> None:
    body = json.dumps(value).encode()
    assert _depth(body) == min(_true_depth(value), MOST_DEPTH + 1)
    if _true_depth(value) <= MOST_DEPTH:
        assert decode(body) == value


@pytest.mark.parametrize("start", [b'"', b'"\\"', b'["\\'])
def test_depth_takes_time_in_proportion(start: bytes) -> None:
    """A string that never ends is looked through once; twice would take hours here."""
    assert _depth(b"[" * 3 + start * 10**6) >= 3


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_a_fault(body: bytes) -> None:
    try:
        decode(body)
    except Garbled:
        return
