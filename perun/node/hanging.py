"""What a disk is asked that may never answer: one of a machine over the network that sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

from perun.errors import StoreFault
from perun.node.export import BadExport, export_bytes

__all__ = ["HangingFile", "begun"]

T = TypeVar("T")


def begun(act: Callable[[], T]) -> Future[T]:
    """Does it in a thread that nobody waits for, at the end of the program either."""
    asked: Future[T] = Future()

    def answer() -> None:
        try:
            asked.set_result(act())
        except BaseException as error:
            asked.set_exception(error)

    threading.Thread(target=answer, name="perun-disk", daemon=True).start()
    return asked


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
        asked = self._asked or begun(partial(export_bytes, self._path))
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
