"""A writer waits only so long for its database and its witness; then it ends, and a standby writes.

A server or a network that takes what is said and never answers would else hold the hub for as long
as it likes, above all between the writer and its witness, where no standby notices. Looks are
counted, not seconds: a process that was stopped has not waited.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from perun.store.postgres.session import Session

__all__ = ["Patience"]

_LOOK: Final = 0.25
"""Seconds between two looks."""


class Patience:
    """Looks after a writer's sessions, in a thread of its own, from construction to `stop`."""

    def __init__(self, seconds: float) -> None:
        self._looks = round(seconds / _LOOK)
        self._left: dict[Session, int] = {}
        self._mutex = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="perun-patience", daemon=True)
        self._thread.start()

    @contextmanager
    def over(self, session: Session) -> Iterator[None]:
        """While this lasts, whoever waits for the session's answer for too long hears that there is
        none."""
        with self._mutex:
            self._left[session] = self._looks
        try:
            yield
        finally:
            with self._mutex:
                self._left.pop(session, None)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK):
            with self._mutex:
                for session, left in self._left.items():
                    self._left[session] = left - 1
                    if left <= 0:
                        session.sever()

    def stop(self) -> None:
        """Looks no more."""
        self._stopping.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
