"""Processes that answer questions, and what they all know of each other."""

from __future__ import annotations

import gc
import multiprocessing
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.players import DEPLOYMENT, PATIENCE_SECONDS
from perun.core.state import PeerId
from perun.node.settings import contracts_of
from perun.ports import Member
from perun.wire.door import DoorLimits
from perun.wire.local import LocalNetwork
from perun.wire.web import Hello, WebWire

__all__ = ["HELLO", "ROOM", "Process", "Processes", "Sockets", "cpu_seconds", "memory_bytes"]

HELLO = Hello((1,), "eip155:31337", bytes(32), tuple(contracts_of(DEPLOYMENT).items()))
ROOM = DoorLimits(new_per_address=1_024, links_per_address=8_192)
"""All clients come from this machine."""


class Sockets(LocalNetwork):
    """A network whose other ends are in other processes, reached by a `WebWire`."""

    def __init__(self, wire: WebWire) -> None:
        super().__init__()
        self.wire = wire

    def enter(self, party: Member) -> WebWire:  # type: ignore[override]
        """See `perun.ports.Network`."""
        return self.wire.enter(party)

    def leave(self, peer: PeerId) -> None:  # noqa: ARG002
        """See `LocalNetwork`."""
        self.wire.stop()


class Process:
    """One that answers."""

    def __init__(self, work: Callable[..., None], *args: object) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, *args), daemon=True)
        self.process.start()

    def ask(self, question: str) -> Any:
        """Its answer."""
        self.pipe.send(question)
        return self.hear()

    def tell(self, question: Any) -> None:
        """Asks; its answer is among what it has `said`."""
        self.pipe.send(question)

    def said(self) -> Any:
        """What it has said, if anything."""
        try:
            return self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            return None

    def hear(self) -> Any:
        """What it says next."""
        if not self.pipe.poll(PATIENCE_SECONDS):
            raise AssertionError("a process does not answer")
        return self.pipe.recv()


class Processes:
    """Those that were started, until the end."""

    def __init__(self) -> None:
        self._all: list[Process] = []

    def start(self, work: Callable[..., None], *args: object) -> Process:
        """Another one."""
        self._all.append(Process(work, *args))
        return self._all[-1]

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._all:
            one.process.kill()
            one.process.join()


def cpu_seconds() -> float:
    """Of this process, so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
