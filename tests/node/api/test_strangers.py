"""Whoever reaches the port: others who use the machine, and programs with a token for little."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import ExitStack, closing

import aiohttp
import pytest
from aiohttp import web

from perun.app.methods import Scope
from perun.serving import Gate, runner
from tests.node.api.conftest import Desk
from tests.node.api.test_interface import call, post
from tests.node.processes.network.wired import eventually


def said(desk: Desk, data: bytes) -> bytes:
    """What is answered to these bytes, up to the end."""
    with closing(socket.create_connection(("127.0.0.1", desk.server.port))) as line:
        line.settimeout(60)
        line.sendall(data)
        answer = b""
        while piece := line.recv(2**16):
            answer += piece
    return answer


def asking(token: bytes, *more: bytes) -> bytes:
    head = (b"POST / HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *more)
    authorization = b"Authorization: Bearer " + token
    body = (b"Content-Type: application/json", b"Content-Length: 2", b"", b"{}")
    return b"\r\n".join((*head, authorization, *body))


@pytest.mark.parametrize("token", [b"\xff\xfe\xed\xa0\x80", b"\x80" * 500, b"", b"x y", b"\xc0"])
def test_token_that_is_no_text_is_none(
    desk: Desk, token: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert said(desk, asking(token)).startswith(b"HTTP/1.1 401")
    assert caplog.text == ""


def test_request_that_makes_no_sense_writes_nothing_into_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Attack: a traceback for each fills the disk; and a token in a line that is too long, or not
    as it should be, stood in it."""
    token = desk.token("owner", Scope.ALL).encode()
    for data in (
        asking(token + b" " + b"x" * 9_000),
        asking(token + b"\x01"),
        asking(token, b"X\x00: y"),
        asking(token, b"Content-Length: 3"),
        b"\x16\x03\x01 garbage\r\n\r\n",
        b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n",
    ):
        assert b" 400 " in said(desk, data).partition(b"\r\n")[0]
    assert caplog.text == ""


def test_failure_of_a_page_is_named_once_and_says_nothing_of_what_was_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(_: web.Request) -> web.Response:
        raise ValueError("the secret")

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/", fails)
        served = runner(app)
        await served.setup()
        gate = Gate(served)
        port = await gate.listen("127.0.0.1", 0)
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    assert answer.status == 500
        await gate.close()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    lines = [record.getMessage() for record in caplog.records if record.name == "perun.http"]
    assert len(lines) == 1
    assert "ValueError" in lines[0]
    assert __file__ in lines[0]
    assert "secret" not in caplog.text


def test_connections_that_never_ask_keep_nobody_out_and_take_no_more_files(desk: Desk) -> None:
    """Attack: another user of the machine opens a thousand: a node without a file left is blind."""
    with ExitStack() as open_ones:
        for _ in range(600):
            line = socket.create_connection(("127.0.0.1", desk.server.port))
            open_ones.enter_context(closing(line))
            line.sendall(b"POST / HTTP/1.1\r\n")
        assert call(desk, "status")["result"]["node"] == desk.alice.id
        gate = desk.server._thread.gate
        assert gate is not None
        served = gate._runner.server
        assert served is not None
        # One that is sent away is gone a moment later.
        eventually(lambda: len(served.connections) <= 257)


@pytest.mark.parametrize("since", [2**53, 2**63 - 1, 2**63, 2**64, 2**200])
def test_number_beyond_all_events_is_refused(desk: Desk, since: int) -> None:
    """Attack: a token that may only look ends the node, whose store takes no such number."""
    token = desk.token("eye", Scope.READ)
    body = {"jsonrpc": "2.0", "id": 7, "method": "events", "params": {"since": since}}
    status, text = post(desk, body, Authorization=f"Bearer {token}")
    assert (status, "-32602" in text) == (200, True)
    assert call(desk, "status")["result"]["node"] == desk.alice.id


def test_subscriptions_of_a_socket_are_so_many(desk: Desk) -> None:
    """Attack: a token that may only look fills the node's memory."""
    token = desk.token("eye", Scope.READ)

    async def run() -> list[str]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{desk.server.url}/ws") as line,
        ):
            answers = []
            for id in range(66):
                ask = {"jsonrpc": "2.0", "id": id, "method": "subscribe", "params": {}}
                await line.send_json(ask)
                answers.append(await line.receive_json())
            refused = [answer["error"]["message"] for answer in answers if "error" in answer]
            first = answers[0]["result"]["subscription"]
            for id, method, params in (
                (70, "unsubscribe", {"subscription": first}),
                (71, "subscribe", {}),
            ):
                await line.send_json(
                    {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
                )
                assert "result" in await line.receive_json()
            return refused

    refused = asyncio.run(run())
    assert len(refused) == 2
    assert "64 subscriptions" in refused[0]


@pytest.mark.parametrize(
    "word",
    [
        "[" * 60_000,
        '{"token":"t","x":' + "[" * 60_000,
        '{"a":' * 900,
        "null",
        '"\\ud800"',
        "9" * 9_999,
    ],
    ids=["deep", "deep beside", "less deep", "null", "surrogate", "number"],
)
def test_first_word_that_makes_no_sense_is_nobodys(
    desk: Desk, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Attack: whoever uses the machine ends the node, or fills its log, without any token."""

    async def run() -> aiohttp.WSMsgType:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{desk.server.url}/ws") as line,
        ):
            await line.send_str(word)
            return (await line.receive()).type

    ended = asyncio.run(run())
    assert ended in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert caplog.text == ""
    assert call(desk, "status")["result"]["node"] == desk.alice.id
