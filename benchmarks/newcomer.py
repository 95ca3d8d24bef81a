"""A newcomer's first payment: from `perun init` to paid over the hub, by commands in processes.

`perun up` runs, with blocks of one second and finality of two. Each command is a process that
starts, asks and ends; `open` waits for its transaction and two more blocks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.report import Figure, Result
from perun.cli.next_steps import NAMES

__all__ = ["newcomer"]

_READY: Final = "Type in another terminal"
_STEPS: Final = (
    ("init", "perun init --rpc $RPC --hub $HUB --yes --api 127.0.0.1:0"),
    ("node start", "perun node start"),
    ("open", "perun open $HUB 0.1ether --receive 0.1ether --draw --yes"),
    ("pay", "perun pay $SHOP 0.001ether --yes"),
)
_GOAL: Final = 10.0


def newcomer(folder: Path) -> Result:
    """How long it takes until somebody who has nothing has paid somebody else."""
    home = folder / "up"
    began = time.perf_counter()
    with _up(home):
        figures = [Figure("perun up is ready", time.perf_counter() - began, "s")]
        took = []
        try:
            for name, command in _STEPS:
                took.append(_timed(home, command))
                figures.append(Figure(f"perun {name}", took[-1], "s"))
            again = _timed(home, _STEPS[-1][1])
        finally:
            _timed(home, "perun node stop")
    figures.append(Figure("from init to paid", sum(took), "s", at_most=_GOAL))
    figures.append(Figure("paying again", again, "s"))
    return Result("newcomer", "a newcomer's first payment", tuple(figures))


@contextmanager
def _up(home: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "perun.cli.main", "up", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if _READY in line:
                break
        else:
            raise RuntimeError("".join(said))
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def _timed(home: Path, command: str) -> float:
    began = time.perf_counter()
    ran = subprocess.run(
        ["bash", "-c", f". {home / NAMES} && {command}"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    if ran.returncode:
        raise RuntimeError(f"{command}: {ran.stdout}{ran.stderr}")
    return time.perf_counter() - began
