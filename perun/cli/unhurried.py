"""Prints for whoever must not wait: a terminal that is stopped, or a pipe that nobody reads, takes
nothing and refuses nothing, and would keep an answer back until somebody presses a key."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Full, Queue
from typing import IO, Any, Final, cast

__all__ = ["unhurried"]

_MOST: Final = 10_000
"""Pieces of text that wait; what comes later is lost."""


class _Unhurried:
    """Writes to a file in a thread of its own."""

    def __init__(self, file: IO[str], seconds: float) -> None:
        self._file, self._seconds = file, seconds
        self._texts: Queue[str] = Queue(_MOST)
        self._is_late = False
        threading.Thread(target=self._run, name="perun-print", daemon=True).start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> int:
        with suppress(Full):
            self._texts.put_nowait(text)
        return len(text)

    def flush(self) -> None:
        """Waits until all is written, but not long, and not again while it is not."""
        done = self._texts.all_tasks_done
        seconds = 0.0 if self._is_late else self._seconds
        with done:
            self._is_late = not done.wait_for(lambda: not self._texts.unfinished_tasks, seconds)

    def _run(self) -> None:
        while True:
            text = self._texts.get()
            # As everywhere here: a line that cannot be shown is lost.
            with suppress(OSError, ValueError):
                self._file.write(text)
                self._file.flush()
            self._texts.task_done()


def unhurried(file: IO[str], seconds: float = 1.0) -> IO[str]:
    """The same file, which keeps nobody longer than so many seconds."""
    return cast("IO[str]", _Unhurried(file, seconds))
