"""What a hub logs is JSON, one line each, and holds nothing secret."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from perun.bindings.failures import NodeUnreachable
from perun.chain.reports import Unreachable
from perun.core.inputs import Received
from perun.core.notices import ChannelJoined, PreimageLearnt
from perun.encoding.messages import Propose
from perun.hub.logs import JsonLog
from perun.types import ChannelId, InstanceId, Preimage, Signature, State, Version, Wei

SECRET = bytes(range(32))
STATE = State(ChannelId(b"\x01" * 32), Version(2), Wei(0))


def logged(*told: object, urls: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    to = io.StringIO()
    log = JsonLog(to, urls, clock=lambda: 7.0)
    for one in told:
        log.tell(one)
    assert SECRET.hex() not in to.getvalue()
    return [json.loads(line) for line in to.getvalue().splitlines()]


def test_a_notice_is_a_line() -> None:
    (line,) = logged(ChannelJoined(ChannelId(b"\x01" * 32)))
    assert line == {"at": 7.0, "event": "ChannelJoined", "channel": "0x" + 32 * "01"}


def test_a_preimage_is_left_out() -> None:
    (line,) = logged(PreimageLearnt(InstanceId(b"\x01" * 32), SECRET))
    assert line == {"at": 7.0, "event": "PreimageLearnt", "instance": "0x" + 32 * "01"}


def test_what_a_peer_has_sent_is_not_repeated() -> None:
    message = Propose(STATE, Signature(bytes(65)), 2, preimage=Preimage(SECRET))
    (line,) = logged((Received(b"\x02" * 33, message), ValueError(SECRET.hex())))
    assert line == {
        "at": 7.0,
        "event": "refused",
        "of": "Received",
        "error": "ValueError",
        "why": "",
    }


def test_the_key_in_the_address_of_a_chains_node_is_left_out() -> None:
    url = "https://rpc.example.org/v3/abcdef0123456789?key=hunter2"
    lines = logged(
        Unreachable(f"cannot reach {url}", 1),
        Unreachable("GET /v3/abcdef0123456789 failed, key=hunter2", 2),
        ("poll", NodeUnreachable(f"no answer from {url}")),
        urls=(url,),
    )
    text = json.dumps(lines)
    assert "hunter2" not in text
    assert "abcdef" not in text
    assert "rpc.example.org" in lines[0]["reason"]


def test_no_stranger_forges_a_line() -> None:
    (line,) = logged(Unreachable('x\n{"event": "Paid"}', 1))
    assert line["event"] == "Unreachable"


@pytest.mark.parametrize("fault", [OSError(28, "No space left"), ValueError("closed file")])
def test_line_that_cannot_be_written_is_lost(fault: Exception) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise fault

    JsonLog(Full()).tell(Unreachable("a", 1))


def test_half_a_letter_is_no_end() -> None:
    (line,) = logged(Unreachable("\udc80", 1))
    assert line["reason"] == "?"
