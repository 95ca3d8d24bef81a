"""A server of so many threads: anybody on this machine may open connections, and each has one."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FewThreads"]

_MOST = 64


class FewThreads(ThreadingHTTPServer):
    """Closes what comes while all of them are taken; each is let go by its handler's `timeout`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler], most: int = _MOST
    ) -> None:
        """Raises OSError: the address is taken."""
        self._free = threading.BoundedSemaphore(most)
        super().__init__(place, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """See `socketserver.ThreadingMixIn`."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any
    ) -> None:
        """See `socketserver.ThreadingMixIn`."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()
