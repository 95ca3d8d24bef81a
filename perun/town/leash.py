"""A process that ends when the one that started it has ended, however that came about.

The starter holds the other end of our standard input and never writes: an end of file says that it
is gone. A lock for each place makes a new process wait until the old one, which may still be
putting its things away, has left.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from filelock import FileLock

__all__ = ["leashed"]


def leashed(place: Path) -> FileLock:
    """From now on this process lives no longer than its starter, and is alone at its place.

    Returns:
        The lock: held as long as it is referred to.
    """
    threading.Thread(target=_watch, name="perun-leash", daemon=True).start()
    lock = FileLock(place)
    lock.acquire()
    return lock


def _watch() -> None:
    # Not through Python's buffer, whose lock would be in the way of an orderly end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
