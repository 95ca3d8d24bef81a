"""A link is dialled again whatever its host is called, or answers."""

from __future__ import annotations

import asyncio

import pytest

from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire.dialer import Dialer
from perun.wire.web_sockets import WebSockets


class Heard:
    def __init__(self) -> None:
        self.down = asyncio.Event()

    def link_up(self, dialer: Dialer) -> None:
        """Never."""

    def link_down(self, dialer: Dialer, code: int, reason: str, stays_away: bool) -> None:
        self.down.set()

    def link_packet(self, dialer: Dialer, data: bytes) -> None:
        """Never."""


@pytest.mark.parametrize(
    "host", ["", "a b", "..", "a" * 64 + ".b", "x" * 300, "h:99999", "[", "[::1%lo]:1", "é" * 300]
)
def test_no_name_of_a_host_ends_the_dialling(host: str) -> None:
    async def dial() -> bool:
        heard, key = Heard(), key_of("alice")
        sockets = WebSockets()
        await sockets.open()
        dialer = Dialer(host, key, peer_id(key.public_key), heard, sockets)
        task = asyncio.create_task(dialer.run())
        down = asyncio.create_task(heard.down.wait())
        await asyncio.wait({task, down}, return_when=asyncio.FIRST_COMPLETED)
        ended = task.done()
        for one in (task, down):
            one.cancel()
        await asyncio.gather(task, down, return_exceptions=True)
        await sockets.close()
        return ended

    assert not asyncio.run(dial())
