"""Files written by one process at a time, and never seen half written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from populus.places import label, own_folder

__all__ = ["locked", "one_at_a_time", "write_json"]


def locked(path: Path) -> FileLock:
    """An exclusive lock on a file or folder; other processes wait, and a crash releases it.

    It is a file of our own, so that a project that cannot be written to can be locked too.
    """
    return FileLock(own_folder("locks") / f"{label(path)}.lock")


@contextmanager
def one_at_a_time(name: str, waiting: Callable[[], object]) -> Iterator[None]:
    """Whatever goes by this name on this machine, one process after the other.

    Args:
        waiting: called if another one is at it.
    """
    lock = FileLock(own_folder("locks") / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def write_json(path: Path, value: Any) -> None:
    """Write `value` sorted and indented, in one step: readers see the old file or the new."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if path.exists() and path.read_bytes() == text.encode():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
