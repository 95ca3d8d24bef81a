"""The interface as a program in any language has it, and what it refuses."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from perun.api import generate, openrpc
from perun.api.client import CallRefused, NotReached, connect
from perun.api.place import TokenUnsafe, read_place
from perun.api.publishing import withdraw_place
from perun.api.server import ApiServer
from perun.api.side_by_side import connect_async
from perun.api.tokens import BadToken, Tokens, make_token
from perun.app.methods import METHODS, Scope
from tests.node.api.conftest import Desk

OWNER = "owner"


def post(desk: Desk, body: object, **headers: str | None) -> tuple[int, str]:
    """One HTTP request, as raw as `curl` makes it."""
    line = http.client.HTTPConnection("127.0.0.1", desk.server.port, timeout=30)
    token = desk.token(OWNER, Scope.ALL)
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    for name, value in headers.items():
        sent.pop(name.replace("_", "-"), None)
        if value is not None:
            sent[name.replace("_", "-")] = value
    path = sent.pop("Path", "/")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    line.request("POST", path, data, sent)
    response = line.getresponse()
    text = response.read().decode()
    line.close()
    return response.status, text


def call(desk: Desk, method: str, params: object = None, **headers: str | None) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}}
    status, text = post(desk, body, **headers)
    assert status == 200, text
    answer = json.loads(text)
    assert answer["id"] == 7
    return answer


def test_a_usual_port_that_is_taken_gives_way_and_one_that_was_asked_for_does_not(
    desk: Desk, tmp_path: Path
) -> None:
    tokens, taken = Tokens(tmp_path), desk.server.port
    second = ApiServer(desk.alice.party.node, tokens, port=taken, else_free=True)
    second.start()
    try:
        assert second.port not in (0, taken)
    finally:
        second.stop()
    with pytest.raises(OSError, match="in use"):
        ApiServer(desk.alice.party.node, tokens, port=taken).start()


def test_three_lines_pay(desk: Desk) -> None:
    paid = desk.node.pay(desk.bob.id, "0.1 ether", "for bread")
    assert (paid.step, paid.amount) == ("done", str(10**17))
    assert desk.node.payments()[0] == paid


def test_any_program_can_pay_by_http(desk: Desk) -> None:
    params = {"idempotencyKey": "k1", "to": desk.bob.id, "amount": "5"}
    answer = call(desk, "pay", params)
    assert answer["result"]["step"] == "done"
    assert call(desk, "pay", params)["result"] == answer["result"]
    refused = call(desk, "pay", {**params, "amount": "6"})["error"]
    assert (refused["code"], refused["data"]["name"]) == (11, "KeyReused")
    assert "new key" in refused["data"]["do"]
    too_much = call(desk, "pay", {**params, "idempotencyKey": "k2", "amount": str(10**20)})
    assert too_much["error"]["data"]["name"] == "NoWay"
    assert too_much["error"]["data"]["values"]["amount"] == str(10**20)


def test_curl_can(desk: Desk) -> None:
    body = '{"jsonrpc":"2.0","id":1,"method":"status","params":{}}'
    token = desk.token(OWNER, Scope.ALL)
    ran = subprocess.run(
        [
            *("curl", "-sS", desk.server.url, "-H", "Content-Type: application/json"),
            *("-H", f"Authorization: Bearer {token}", "-d", body),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout)["result"]["node"] == desk.alice.id


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({"Authorization": None}, 401, "no such token"),
        ({"Authorization": "Bearer wrong"}, 401, "no such token"),
        ({"Authorization": "Basic abc"}, 401, "no such token"),
        ({"Host": "evil.example"}, 403, "wrong Host"),
        ({"Host": "127.0.0.1.evil.example"}, 403, "wrong Host"),
        ({"Host": ""}, 403, "wrong Host"),
        ({"Host": "[::1"}, 403, "wrong Host"),
        ({"Origin": "https://evil.example"}, 403, "wrong Origin"),
        ({"Origin": "null"}, 403, "wrong Origin"),
        ({"Origin": "http://localhost:5173.evil.example"}, 403, "wrong Origin"),
        ({"Content_Type": "text/plain"}, 415, "application/json"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"Path": "/?token=abc"}, 403, "no parameters in the URL"),
        ({"Path": "/other"}, 404, ""),
    ],
)
def test_who_is_not_let_in(
    desk: Desk, headers: dict[str, str | None], status: int, says: str
) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "status", "params": {}}
    found, text = post(desk, body, **headers)
    assert (found, says in text) == (status, True), text


@pytest.mark.parametrize(
    "headers",
    [{"Host": "localhost:99"}, {"Host": "[::1]:5"}, {"Origin": "http://localhost:5173"}],
)
def test_who_is(desk: Desk, headers: dict[str, str]) -> None:
    assert call(desk, "status", **headers)["result"]["node"] == desk.alice.id


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 30_000, -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"status"}]', -32600),
        (b"5", -32600),
        (b'{"jsonrpc":"2.0","method":"status"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"status"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"status"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"stats"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"__class__"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"status","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"status","params":{"x":1}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"pay","params":{}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}', 100),
    ],
)
def test_calls_that_are_none(desk: Desk, body: bytes, code: int) -> None:
    status, text = post(desk, body)
    assert status == 200
    assert json.loads(text)["error"]["code"] == code, text


@pytest.mark.parametrize(
    "amount", [5, 0.1, True, None, "", "-1", "+1", "1.0", "0x10", "1e3", " 1", "01", "9" * 40, "٣"]
)
def test_amounts_that_are_none(desk: Desk, amount: object) -> None:
    params = {"idempotencyKey": "k", "to": desk.bob.id, "amount": amount}
    assert call(desk, "pay", params)["error"]["code"] == -32602


def test_a_long_body_is_refused_and_others_are_served(desk: Desk) -> None:
    status, _ = post(desk, b" " * 100_000)
    assert status == 413
    with socket.create_connection(("127.0.0.1", desk.server.port)) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\n")
        assert desk.node.status().node == desk.alice.id


def test_scopes_over_http(desk: Desk) -> None:
    read = desk.token("reader", Scope.READ)
    spend = desk.token("till", Scope.SPEND, eth=10)
    bearer = {"Authorization": f"Bearer {read}"}
    assert "result" in call(desk, "status", **bearer)
    params = {"idempotencyKey": "k", "to": desk.bob.id, "amount": "8"}
    assert call(desk, "pay", params, **bearer)["error"]["data"]["name"] == "Forbidden"
    assert "error" in call(desk, "request", {"amount": "5"}, **bearer)
    # A machine is there, so that no hub's fee is counted.
    desk.node.pay(desk.bob.id, 1)
    bearer = {"Authorization": f"Bearer {spend}"}
    assert call(desk, "pay", params, **bearer)["result"]["step"] == "done"
    refused = call(desk, "pay", {**params, "idempotencyKey": "l"}, **bearer)["error"]
    assert (refused["code"], refused["data"]["values"]["spent"]) == (31, "8")


def test_a_deleted_token_is_worth_nothing_at_once(desk: Desk) -> None:
    token = desk.token("reader", Scope.READ)
    headers = {"Authorization": f"Bearer {token}"}
    assert "result" in call(desk, "status", **headers)
    (desk.home / "tokens" / "reader.json").unlink()
    status, _ = post(desk, {}, **headers)
    assert status == 401


def test_no_method_tells_keys_or_tokens(desk: Desk) -> None:
    names = " ".join(METHODS).lower()
    for secret in ("phrase", "seed", "key", "token", "preimage"):
        assert secret not in names
    for answer in (repr(desk.node), repr(read_place(desk.home))):
        assert read_place(desk.home).token not in answer


# ---------------------------------------------------------------------------------------- WebSocket


def test_events_come_over_a_websocket_after_the_payment_is_on_disk(desk: Desk) -> None:
    async def story() -> list[Any]:
        url, token = desk.server.url, read_place(desk.home).token
        async with connect_async(url, token) as node:
            status = await node.status()
            paying = asyncio.create_task(node.pay(desk.bob.id, 5))
            found = []
            async for event in node.watch(since=status.event, kinds=("payment",)):
                found.append(event)
                if event.data["step"] == "done":
                    break
            await paying
            return found

    events = asyncio.run(story())
    assert [event.data["step"] for event in events][-2:] == ["signed", "done"]


def test_a_websocket_says_its_token_first(desk: Desk) -> None:
    async def story() -> list[Any]:
        said: list[Any] = []
        headers = {"Origin": "http://localhost:5173"}
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.ws_connect(f"{desk.server.url}/ws") as ws:
                await ws.send_json({"token": read_place(desk.home).token})
                said.append(await ws.receive_json())
                for number in range(3):
                    await ws.send_json(
                        {"jsonrpc": "2.0", "id": number, "method": "status", "params": {}}
                    )
                said += [await ws.receive_json() for _ in range(3)]
            for first in ("{}", "[]", '{"token": "wrong"}', "\x00", '{"token": 5}'):
                async with session.ws_connect(f"{desk.server.url}/ws") as ws:
                    await ws.send_str(first)
                    message = await ws.receive()
                    said.append((message.type, ws.close_code))
        return said

    hello, *rest = asyncio.run(story())
    assert hello["params"] == {"token": "owner", "scope": "all"}
    assert sorted(one["id"] for one in rest[:3]) == [0, 1, 2]
    assert rest[3:] == [(aiohttp.WSMsgType.CLOSE, 4401)] * 5


def test_a_foreign_page_opens_no_websocket(desk: Desk) -> None:
    async def story() -> int:
        headers = {"Origin": "https://evil.example"}
        async with aiohttp.ClientSession(headers=headers) as session:
            try:
                async with session.ws_connect(f"{desk.server.url}/ws"):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    assert asyncio.run(story()) == 403


def test_a_subscription_ends_with_its_websocket(desk: Desk) -> None:
    async def story() -> None:
        async with connect_async(desk.server.url, read_place(desk.home).token) as node:
            async for _ in node.watch(since=0):
                break

    asyncio.run(story())
    subscriptions = desk.alice.app._subscriptions._all
    desk.node.status()
    for _ in range(100):
        if not subscriptions:
            break
        desk.node.status()
    assert subscriptions == {}


def test_old_events_are_gone_with_a_number_to_go_on_from(desk: Desk) -> None:
    desk.node.pay(desk.bob.id, 1)
    shelf = desk.alice.app.shelf
    shelf.first_event = 3
    with pytest.raises(CallRefused) as refusal:
        desk.node.events(0)
    assert (refusal.value.code, refusal.value.values["oldest"]) == (40, "3")
    assert int(refusal.value.values["snapshot"]) == desk.node.status().event


def test_a_question_for_events_stays_open_until_there_is_one(desk: Desk) -> None:
    newest = desk.node.status().event
    with ThreadPoolExecutor(1) as pool, connect(home=desk.home) as other:
        asked = pool.submit(other.events, newest, wait=600)
        paid = desk.node.pay(desk.bob.id, 5)
        found = asked.result()
    assert found[0].number == newest + 1
    assert found[0].about == paid.id


def test_the_sync_client_watches_too(desk: Desk) -> None:
    watching = desk.node.watch(since=0)
    first = next(watching)
    assert first.number == 1


# ------------------------------------------------------------------------------ clients and tokens


def test_a_stopped_node_is_said(desk: Desk) -> None:
    desk.thread.stop()
    desk.alice.party.node.failed = OSError("disk full")
    with pytest.raises(CallRefused, match="disk full"):
        desk.node.status()


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotReached, match=r"perun node start"):
        connect(home=tmp_path)
    withdraw_place(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotReached):
        connect(f"http://127.0.0.1:{port}", "x").status()


def test_a_lost_answer_is_asked_for_again_with_the_same_key(desk: Desk) -> None:
    lost = 0
    post_once = desk.node._post

    def losing(body: bytes, patience: float) -> bytes:
        nonlocal lost
        answer = post_once(body, patience)
        if not lost:
            lost += 1
            raise ConnectionResetError
        return answer

    desk.node._post = losing  # type: ignore[method-assign]
    assert desk.node.pay(desk.bob.id, 5).step == "done"
    assert lost == 1
    assert len(desk.node.payments()) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_token(tmp_path, "till", Scope.SPEND)
    path = tmp_path / "till.json"
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    with pytest.raises(TokenUnsafe):
        Tokens(tmp_path).caller("x")
    with pytest.raises(TokenUnsafe):
        make_token(tmp_path, "till", Scope.SPEND)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"token": "x", "scope": "god"}',
        '{"token": "x", "scope": "all", "limits": {"0x": "1"}}',
    ],
)
def test_files_that_are_no_tokens(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(BadToken):
        Tokens(tmp_path).caller("x")
    with pytest.raises(BadToken):
        make_token(tmp_path, "../bad", Scope.ALL)


def test_the_document_and_the_clients_are_those_of_the_list() -> None:
    assert openrpc.PAGE.read_text(encoding="utf-8") == openrpc.text(), "python -m perun.api.openrpc"
    assert generate.PAGE.read_text(encoding="utf-8") == generate.text(), (
        "python -m perun.api.generate"
    )


def test_the_document_is_served(desk: Desk) -> None:
    line = http.client.HTTPConnection("127.0.0.1", desk.server.port)
    line.request("GET", "/openrpc.json")
    served = json.loads(line.getresponse().read())
    line.close()
    assert {one["name"] for one in served["methods"]} == METHODS.keys()


def test_the_program_above_needs_neither_chain_nor_store_nor_network() -> None:
    """It runs in a page, where there are none."""
    code = (
        "import sys\n"
        "for name in ('web3', 'sqlite3', 'aiohttp', 'eth_account', 'requests'):\n"
        "    sys.modules[name] = None\n"
        "import perun.app.app\n"
        "print([m for m in sys.modules if m.split('.')[:2] in "
        "(['perun', 'chain'], ['perun', 'store'], ['perun', 'wallet'])])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"
