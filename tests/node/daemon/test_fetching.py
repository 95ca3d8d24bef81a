"""Cards and gifts come from hosts that may be hostile: bounded in time and size."""

from __future__ import annotations

import gzip
import http.server
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from perun.daemon import cards, faucet
from perun.daemon.cards import Unreachable, fetch_card
from perun.daemon.faucet import ask_faucet
from perun.errors import PeerFault
from tests.node.chain.test_provider import Answer, say, serving

ASK: dict[str, Callable[[str], object]] = {
    "card": fetch_card,
    "faucet": lambda host: ask_faucet(host, "0x" + "11" * 20),
}


@pytest.fixture(params=ASK)
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    for part in (cards, faucet):
        monkeypatch.setattr(part, "_SECONDS", 0.5)
    return ASK[request.param]


@contextmanager
def host(answer: Answer) -> Iterator[str]:
    with serving(answer) as url:
        yield url.removeprefix("http://")


def drip_body(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "60000")
    handler.end_headers()
    for _ in itertools.count():
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_head(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)
        if number > 1_000:
            return


def bomb(handler: http.server.BaseHTTPRequestHandler) -> None:
    say(handler, gzip.compress(bytes(2**26)), **{"Content-Encoding": "gzip"})  # type: ignore[arg-type]


BODIES = [b"", b"[" * 60_000, b"\xff" * 100, b'{"wei": "\xff"}', b'{"wei": 1}', b"{}", b"null"]


@pytest.mark.parametrize("answer", [drip_body, drip_head, bomb])
def test_what_does_not_end_is_left(ask: Callable[[str], object], answer: Answer) -> None:
    begun = time.monotonic()
    with host(answer) as name, pytest.raises(Unreachable):
        ask(name)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("body", BODIES)
def test_what_is_none_is_a_fault_of_its_host(ask: Callable[[str], object], body: bytes) -> None:
    with host(lambda handler: say(handler, body)) as name, pytest.raises(PeerFault):
        ask(name)


@pytest.mark.parametrize("name", ["", "[", "h:99999", "h:x", "a b", "h\nx", "é" * 300])
def test_host_that_is_none_is_unreachable(ask: Callable[[str], object], name: str) -> None:
    with pytest.raises(Unreachable):
        ask(name)
