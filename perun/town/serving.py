"""Serves the embedded chain on 127.0.0.1, and makes its blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

from perun.town.embedded import EmbeddedChain
from perun.town.few import FewThreads
from perun.town.pace import SECOND, Pace
from perun.town.rpc import Rpc

__all__ = ["keep_embedded"]

_HOST: Final = "127.0.0.1"
_MOST_BYTES: Final = 4 * 2**20
_SECONDS: Final = 60
_MOST_CONNECTIONS: Final = 1_024


def keep_embedded(
    folder: Path,
    port: int,
    ready: Callable[[], None],
    _say: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Runs the chain until it is told to stop; it never goes back, so there is nothing to say.

    Args:
        ready: called once it serves.

    Raises:
        sqlite3.Error: its file cannot be read or written.
        OSError: the port is taken.
    """
    chain, one_at_a_time = EmbeddedChain(folder), threading.Lock()
    with _server(port, Rpc(chain), one_at_a_time) as server:
        threading.Thread(target=server.serve_forever, name="perun-rpc", daemon=True).start()
        ready()
        pace = Pace()
        while not stop.wait(SECOND):
            with one_at_a_time:
                if pace.is_due(chain.waiting()):
                    chain.mine()
        server.shutdown()
    with one_at_a_time:
        chain.close()


def _server(port: int, rpc: Rpc, one_at_a_time: threading.Lock) -> FewThreads:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _SECONDS

        def do_POST(self) -> None:
            """A request."""
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
                self.send_error(413)
                return
            body = self.rfile.read(int(length))
            with one_at_a_time:
                answer = rpc.answer(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(answer)

        def do_OPTIONS(self) -> None:
            """A page asks whether it may ask: its money is worth nothing."""
            self.send_response(204)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "content-type")
            self.send_header("Access-Control-Allow-Methods", "POST")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a node asks several times a second."""

    return FewThreads((_HOST, port), Handler, most=_MOST_CONNECTIONS)
