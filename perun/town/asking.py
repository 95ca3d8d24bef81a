"""Where the patron is asked: a page for POST on 127.0.0.1, and the program that posts to it.

perun request 0.01ether | curl -sd @- http://127.0.0.1:7405
perun request 0.01ether | python -m perun.town.asking http://127.0.0.1:7405
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Final

import requests

from perun.town.few import FewThreads

__all__ = ["serve"]

Answer = Callable[[str], tuple[bool, str]]

_MOST_BYTES: Final = 8_192
_SECONDS: Final = 60
_HOW: Final = (
    "POST a payment request here:\n  perun request 0.01ether | curl -sd @- http://{host}\n"
)


def serve(host: str, port: int, answer: Answer) -> FewThreads:
    """Answers from now on, in threads of its own.

    Args:
        answer: whether it was done, and the words.

    Raises:
        OSError: the address is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            """How to ask."""
            self._say(200, _HOW.format(host=f"{host}:{port}"))

        def do_POST(self) -> None:
            """An ask."""
            if self.headers.get("Origin") is not None:
                self._say(403, "not from a web page\n")
                return
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
                self._say(413, f"a request of at most {_MOST_BYTES} bytes, please\n")
                return
            text = self.rfile.read(int(length)).decode("utf-8", errors="replace")
            done, words = answer(text)
            self._say(200 if done else 400, words + "\n")

        def _say(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the patron says whom it has paid."""

    server = FewThreads((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="perun-asked", daemon=True).start()
    return server


def main() -> None:
    """Posts standard input."""
    answer = requests.post(sys.argv[1], data=sys.stdin.buffer.read(), timeout=_SECONDS)
    sys.stdout.write(answer.text)
    sys.exit(0 if answer.ok else 1)


if __name__ == "__main__":
    main()
