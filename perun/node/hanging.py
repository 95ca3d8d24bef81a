"""Reads a file whose disk may never answer: one of a machine over the network that sleeps."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

from perun.errors import StoreFault
from perun.node.export import BadExport, export_bytes

__all__ = ["HangingFile"]


class HangingFile:
    """One file, read by a thread of its own, of which there is one at a time."""

    def __init__(self, path: Path, seconds: float) -> None:
        """Reads nothing yet.

        Args:
            seconds: how long a read is waited for; one that is late already is not waited for.
        """
        self._path, self._seconds = path, seconds
        self._asked: Future[bytes] | None = None

    def read(self) -> bytes:
        """What stands in it, or stood there when a late answer was asked for.

        Raises:
            BadExport: it cannot be read, or not in time.
        """
        seconds = 0.0 if self._asked is not None else self._seconds
        asked = self._asked or self._ask()
        try:
            found = asked.result(seconds)
        except TimeoutError:
            self._asked = asked
            raise BadExport(str(self._path), "the disk that it lies on does not answer") from None
        except StoreFault:
            self._asked = None
            raise
        self._asked = None
        return found

    def _ask(self) -> Future[bytes]:
        asked: Future[bytes] = Future()

        def answer() -> None:
            try:
                asked.set_result(export_bytes(self._path))
            except BaseException as error:
                asked.set_exception(error)

        # Not waited for at the end of the program either.
        threading.Thread(target=answer, name="perun-export", daemon=True).start()
        return asked
