"""Connections of others on this machine take so many threads of the town's servers."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import requests

from perun.town.asking import serve
from perun.town.few import FewThreads


def test_connections_that_say_nothing_take_so_many_threads() -> None:
    """Attack: ten thousand connections, and a thread for each."""
    with closing_server(serve("127.0.0.1", 0, lambda text: (True, text))) as server:
        place = server.server_address[:2]
        before = threading.active_count()
        held = [socket.create_connection(place) for _ in range(64)]  # type: ignore[arg-type]
        with closing(socket.create_connection(place)) as one_more:  # type: ignore[arg-type]
            one_more.settimeout(60)
            assert one_more.recv(1) == b""
        assert threading.active_count() <= before + 64
        for line in held:
            line.close()
        while threading.active_count() > before:
            threading.Event().wait(0.01)
        url = f"http://127.0.0.1:{place[1]}"
        assert requests.post(url, data=b"hello", timeout=60).text == "hello\n"


class closing_server:
    """Ends a server that runs in a thread."""

    def __init__(self, server: FewThreads) -> None:
        self._server = server

    def __enter__(self) -> FewThreads:
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
