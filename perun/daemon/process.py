"""Which process runs a node: a file with its number, believed only while that process holds it.

The operating system lets go of the file's lock when the process ends, however it ends, so a number
that was given to another program meanwhile is never taken for ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from filelock import FileLock, Timeout

from perun.errors import Misuse

__all__ = ["AlreadyRunning", "DidNotStart", "marked", "process_of"]

_NUMBER: Final = "node.pid"
_LOCK: Final = "node.pid.lock"


@dataclass(eq=False)
class AlreadyRunning(Misuse):
    """The node runs in another process."""

    process: int

    template: ClassVar[str] = "the node is running, as process {process}"
    hint: ClassVar[str] = "perun node stop ends it"


@dataclass(eq=False)
class DidNotStart(Misuse):
    """The node has ended before it was ready."""

    log: str
    said: str

    template: ClassVar[str] = "the node did not start: {said}"
    hint: ClassVar[str] = "the rest is in its log"


@contextmanager
def marked(home: Path) -> Iterator[Callable[[], None]]:
    """This process runs the node of a folder; calling what it gives says that it is ready.

    Raises:
        AlreadyRunning: another one does.
    """
    try:
        lock = FileLock(home / _LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise AlreadyRunning(process_of(home) or 0) from None
    try:
        yield lambda: _say_number(home)
    finally:
        (home / _NUMBER).unlink(missing_ok=True)
        lock.release()


def _say_number(home: Path) -> None:
    (home / _NUMBER).write_text(str(os.getpid()), encoding="ascii")


def process_of(home: Path) -> int | None:
    """The process that runs the node of a folder, if one does."""
    try:
        number = int((home / _NUMBER).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    try:
        with FileLock(home / _LOCK, timeout=0):
            return None
    except Timeout:
        return number
