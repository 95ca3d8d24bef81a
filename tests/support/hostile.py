"""A server on 127.0.0.1 that does what it likes with whoever comes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

__all__ = ["HostileServer", "answer"]

Serve = Callable[[socket.socket], None]


def answer(body: bytes, *headers: bytes) -> bytes:
    """An HTTP answer with this body."""
    lines = (b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", b"")
    return b"\r\n".join(lines) + body


class HostileServer:
    """Hands each connection, once it has asked something, to a function in a thread of its own."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> HostileServer:
        self._begin(self._accept)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for one in (self._socket, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _begin(self, act: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=act, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                self._begin(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while self._asked(connection):
                self._serve(connection)

    def _asked(self, connection: socket.socket) -> bool:
        """Reads one request with a body whose length is said."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(2**16)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        while len(body) < length:
            body += connection.recv(2**16)
        return True
