"""Processes of ours: started, started again when they end, and ended together.

Each is on a leash (`leash.py`), says `ready` in a line of its own once it serves, and has a log.
One that ends by itself is started again: at once the first time, then after longer and longer
waits, until it has lived for a minute.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Self

from perun.errors import Misuse

__all__ = ["READY", "TOLD", "CannotStart", "Child", "Household", "announce", "python"]

READY: Final = "ready"
"""The line by which a process says that it serves."""
TOLD: Final = "> "
"""Lines that begin so are for people; all others are for the log."""


def announce(line: str) -> None:
    """Says a line to whoever has started this process: whole, whatever other threads say."""
    sys.stdout.write(line + "\n")  # print writes the end of a line apart
    sys.stdout.flush()


_WAITS: Final = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before it is started again, by how often it has ended in a row."""
_LIVED: Final = 60.0
"""After so many seconds it counts as well again."""
_TRIES: Final = 4
"""Ends in a row before it was ever ready, after which it is not tried again."""
_PATIENCE: Final = 40.0
"""Seconds that all have to end by themselves: a hub finishes what is under way."""
_LOG_BYTES: Final = 2_000_000


@dataclass(eq=False)
class CannotStart(Misuse):
    """A process ends again and again before it is ready."""

    name: str
    said: str
    log: str

    template: ClassVar[str] = "the {name} does not start: {said} (the rest is in {log})"
    hint: ClassVar[str] = "read its log, mend what it names, and start again"


@dataclass
class Child:
    """One process, and what is known of it."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    was_ready: bool = False
    """Whether it has ever been."""
    is_ready: threading.Event = field(default_factory=threading.Event)
    ends: int = 0
    """In a row."""
    began: float = 0.0
    said: str = "it said nothing"
    """Its last line."""


class Household:
    """A context: at its end nothing of it runs."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        """Args:
        say: what becomes of the processes, and what they want to be seen; from one thread.
        """
        self._logs, self._say = logs, say
        self._children: list[Child] = []
        self._ended: queue.SimpleQueue[tuple[Child, int] | None] = queue.SimpleQueue()
        self._failed: CannotStart | None = None
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="perun-household", daemon=True)

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, child: Child) -> Child:
        """Starts a process; returns before it is ready."""
        self._children.append(child)
        self._launch(child)
        return child

    def await_ready(self, *children: Child) -> None:
        """Returns when they serve.

        Raises:
            CannotStart: one does not.
        """
        for child in children:
            while not child.is_ready.wait(0.1):
                self.require()

    def require(self) -> None:
        """Raises `CannotStart` if a process was given up."""
        if self._failed is not None:
            raise self._failed

    def wait(self, seconds: float) -> None:
        """Looks after them for a while.

        Raises:
            CannotStart: one was given up.
        """
        self._stopping.wait(seconds)
        self.require()

    def stop(self) -> None:
        """Ends those that were started last first, all others before the first: it is the chain.

        Again does nothing.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._ended.put(None)
        self._keeper.join()
        end = time.monotonic() + _PATIENCE
        for group in (self._children[1:], self._children[:1]):
            for child in group:
                if child.process is not None:
                    child.process.terminate()
            for child in group:
                _finish(child, end)

    # ------------------------------------------------------------------------- in the own thread

    def _keep(self) -> None:
        due: list[tuple[float, Child]] = []
        while not self._stopping.is_set():
            left = min((when - time.monotonic() for when, _ in due), default=None)
            try:
                ended = self._ended.get(timeout=None if left is None else max(0.0, left))
            except queue.Empty:
                due.sort(key=lambda item: item[0])
                _, child = due.pop(0)
                self._launch(child)
                continue
            if ended is not None:
                wait = self._mourn(*ended)
                if wait is not None:
                    due.append((time.monotonic() + wait, ended[0]))

    def _mourn(self, child: Child, code: int) -> float | None:
        """After how many seconds it is started again; None: never."""
        child.is_ready.clear()
        lived = time.monotonic() - child.began
        child.ends = 1 if lived > _LIVED else child.ends + 1
        why = f"signal {-code}" if code < 0 else child.said
        if not child.was_ready and child.ends >= _TRIES:
            self._failed = CannotStart(child.name, why, str(self._log(child)))
            return None
        wait = _WAITS[min(child.ends, len(_WAITS)) - 1]
        again = "at once" if child.ends == 1 else f"in {wait:g} s"
        self._say(f"The {child.name} has ended ({why}); it is started again {again}.")
        return wait

    def _launch(self, child: Child) -> None:
        if self._stopping.is_set():
            return
        process = subprocess.Popen(
            child.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C ends us, and we end them, in order.
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )
        child.process, child.began = process, time.monotonic()
        threading.Thread(
            target=self._listen, args=(child, process), name=f"perun-{child.name}", daemon=True
        ).start()

    # ----------------------------------------------------------------------------- in its thread

    def _listen(self, child: Child, process: subprocess.Popen[str]) -> None:
        """Reads what it says, to the end: a full pipe would stop it."""
        assert process.stdout is not None
        log = _Log(self._log(child))
        with process.stdout as output:
            for line in output:
                log.write(line)
                text = line.strip()
                if text == READY:
                    if child.was_ready:
                        self._say(f"The {child.name} is back.")
                    child.was_ready = True
                    child.is_ready.set()
                elif text:
                    child.said = text
                    if text.startswith(TOLD):
                        self._say(f"{child.name}: {text.removeprefix(TOLD)}")
        code = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        if not self._stopping.is_set():
            self._ended.put((child, code))

    def _log(self, child: Child) -> Path:
        return self._logs / f"{child.name}.log"


class _Log:
    """A file that keeps the last megabytes: what is older goes to one beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, line: str) -> None:
        """A line; one that cannot be kept, on a full disk say, is lost."""
        try:
            if self._file.exists() and self._file.stat().st_size > _LOG_BYTES:
                self._file.replace(self._file.with_suffix(".old"))
            with self._file.open("a", encoding="utf-8") as opened:
                opened.write(line)
        except OSError:
            return


def _finish(child: Child, end: float) -> None:
    process = child.process
    if process is None:
        return
    try:
        process.wait(timeout=max(0.1, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def python(*arguments: str) -> list[str]:
    """A command that runs a module of ours, as this process runs."""
    return [sys.executable, "-m", *arguments]
