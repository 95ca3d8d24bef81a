"""Quirks between a client and a node, and the HTTP server that hands out what they leave.

A quirk is a function that stands in front of whatever is behind: it may ask on, change question or
answer, or answer itself. Several stand in a row.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Final

from perun.testing.bent.node import Ask, Question, ScriptedNode

__all__ = ["Bend", "Bent", "Http", "Kind", "Server"]


@dataclass(frozen=True, slots=True)
class Http:
    """An answer that is not simply JSON."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    drip: float = 0.0
    """Seconds between one byte and the next."""
    cut: bool = False
    """The connection ends before anything was said."""


Bend = Callable[[Question, Ask], "dict[str, Any] | Http"]
"""What a quirk makes of a question; it may ask whoever is behind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A quirk that a node may have."""

    name: str
    make: Callable[[Random], Bend]
    """One of its variants."""
    blinds: bool = False
    """Whether nobody can see through it: a client must say so, and cannot do more."""
    stands: bool = True
    """Whether life goes on under it, so that channels open and end; else it only must not keep an
    answer to a dispute back."""


class _Thrown(Exception):
    """Carries an `Http` through quirks that expect JSON from behind."""

    def __init__(self, answer: Http) -> None:
        self.answer = answer


class Bent:
    """One client's way to the chain, with the quirks that it has at the moment."""

    def __init__(self, node: ScriptedNode) -> None:
        self._node = node
        self._bends: dict[str, Bend] = {}
        self.met: Counter[str] = Counter()
        """How often each quirk has changed an answer."""

    @property
    def head(self) -> int:
        """Number of the newest block there is."""
        return self._node.chain.head.number

    @property
    def quirks(self) -> tuple[str, ...]:
        """Names of those that it has."""
        return tuple(self._bends)

    def take(self, kind: Kind, rng: Random) -> None:
        """It has this quirk from now on, in front of the others."""
        self._bends.pop(kind.name, None)
        self._bends[kind.name] = kind.make(rng)

    def drop(self, name: str) -> None:
        """It has it no more."""
        self._bends.pop(name, None)

    def answer(self, question: Question) -> dict[str, Any] | Http:
        """What the client gets."""
        ask: Ask = self._node.answer
        for name, bend in self._bends.items():
            ask = self._through(name, bend, ask)
        try:
            return ask(question)
        except _Thrown as thrown:
            return thrown.answer

    def _through(self, name: str, bend: Bend, behind: Ask) -> Ask:
        def ask(question: Question) -> dict[str, Any]:
            passed: list[object] = []

            def watched(asked: Question) -> dict[str, Any]:
                found = behind(asked)
                if asked is question:
                    passed.append(found)
                return found

            answer = bend(question, watched)
            if not any(answer is found for found in passed):
                self.met[name] += 1
            if isinstance(answer, Http):
                raise _Thrown(answer)
            return answer

        return ask


class Server:
    """Serves any number of clients on one port of this machine, each under a path of its own."""

    def __init__(self) -> None:
        self.clients: dict[str, Bent] = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                asked = json.loads(self.rfile.read(length))
                _say(self, outer.answer(self.path[1:], asked))

            def log_message(self, *_: object) -> None:
                """Nothing: quirks are counted."""

        class Listening(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                error = sys.exc_info()[1]
                # A client that hangs up is no news; a quirk that stumbles is.
                if not isinstance(error, OSError):
                    outer.failure = error

        self.failure: BaseException | None = None
        """What a quirk has stumbled over: a bug of the double itself."""
        self._server = Listening(("127.0.0.1", 0), Handler)
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, client: str) -> str:
        """Where a client finds its node."""
        return f"http://127.0.0.1:{self._server.server_port}/{client}"

    def answer(self, client: str, asked: dict[str, Any]) -> Http:
        """The bytes for one question."""
        bent = self.clients[client]
        question = Question(asked["method"], tuple(asked.get("params", ())), bent.head)
        with self._lock:
            found = bent.answer(question)
        if isinstance(found, Http):
            return found
        return Http(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **found}).encode())

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


_DRIPS: Final = 200
"""Bytes of a dripping answer before it is let go: by then the client has."""


def _say(handler: BaseHTTPRequestHandler, answer: Http) -> None:
    # A client that has waited long enough is gone.
    with contextlib.suppress(OSError):
        if answer.cut:
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        if not answer.drip:
            handler.wfile.write(answer.body)
            return
        for place in range(min(len(answer.body), _DRIPS)):
            handler.wfile.write(answer.body[place : place + 1])
            handler.wfile.flush()
            time.sleep(answer.drip)
        handler.close_connection = True
