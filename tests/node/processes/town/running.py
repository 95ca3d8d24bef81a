"""`perun up` as people run it: a process, what it prints, and what it starts."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final, Self

from perun.town.place import open_town

__all__ = ["PATIENCE", "Up", "shell"]

PATIENCE: Final = 120.0
"""Only a test that fails waits for so long."""


class Up:
    """A context; at its end nothing runs, whatever the test did."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self._options = options
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "perun.cli.main", "up", "--home", str(self.home)]
        self.process = subprocess.Popen(
            [*command, *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.children().values():
            os.kill(process, signal.SIGKILL)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line.rstrip())
        self._lines.put(None)

    def hear(self, words: str) -> str:
        """Waits until a line with these words is printed."""
        end = time.monotonic() + PATIENCE
        while True:
            line = self._lines.get(timeout=max(0.1, end - time.monotonic()))
            assert line is not None, "\n".join(self.said)
            self.said.append(line)
            if words in line:
                return line

    def steps(self) -> list[str]:
        """The commands that it prints after that, without their remarks."""
        self.hear("  ")
        found = [self.said[-1]]
        while self.hear("").startswith("  "):
            found.append(self.said[-1])
        return [line.partition("  # ")[0].strip() for line in found]

    def end(self) -> int:
        """Asks it to end, as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        """Ends it as a crash does."""
        self.process.kill()
        self.process.wait()

    def children(self) -> dict[str, int]:
        """Ids of its processes, which name its folder or its chain's port, by what they are."""
        found = {}
        town = open_town(self.home)
        port = "" if town is None else str(town.ports.chain)
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = file.read_bytes().decode().split("\0")
            except OSError:
                continue
            if "inhabitant" in words and str(self.home) in words:
                found[words[words.index("inhabitant") + 1]] = int(file.parent.name)
            elif words[0].endswith("/anvil") and port in words:
                found["anvil"] = int(file.parent.name)
        return found

    def await_nobody(self) -> None:
        """Waits until none of its processes is left."""
        end = time.monotonic() + PATIENCE
        while found := self.children():
            assert time.monotonic() < end, found
            time.sleep(0.05)


def shell(home: Path, command: str, typed: str = "y\n", *, code: int = 0) -> str:
    """What a command prints to a newcomer, who agrees to everything."""
    names = "" if command.startswith(".") else f". {home / 'names'} && "
    ran = subprocess.run(
        ["bash", "-c", names + command],
        input=typed,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    printed = ran.stdout + ran.stderr
    assert ran.returncode == code, f"{command}: {printed}"
    return printed
