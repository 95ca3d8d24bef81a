"""anvil as a process of our own: a real node for demonstrations, ended with the `with` block."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self, cast

from web3 import Web3
from web3.types import RPCEndpoint

from perun.bindings.translation import translated
from perun.chain.rpc import RpcEndpoint, connect
from perun.errors import ChainFault
from perun.types import UnixTime

__all__ = ["Anvil", "AnvilMissing", "AnvilNotStarted", "find_anvil", "is_there"]

# What eth-tester runs too, so that both chains agree.
_HARDFORK: Final = "prague"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0
_LISTENING: Final = "Listening on "
# Whoever started it holds the other end of its input: closed, by whatever end, it ends too.
_LEASH: Final = """
exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ cat <&3 >/dev/null; kill "$child"; } 2>/dev/null &
wait "$child"
"""


@dataclass(eq=False)
class AnvilMissing(ChainFault):
    """There is no program `anvil`, neither on PATH nor in a `node_modules` above this folder."""

    folder: str

    template: ClassVar[str] = "the program anvil was not found on PATH or from {folder} upwards"
    hint: ClassVar[str] = "npm install @foundry-rs/anvil, or use the embedded chain (tester)"


@dataclass(eq=False)
class AnvilNotStarted(ChainFault):
    """anvil ended or said nothing."""

    said: str

    template: ClassVar[str] = "anvil did not start: {said}"
    hint: ClassVar[str] = "run it by hand to see more, or use the embedded chain (tester)"


def find_anvil(folder: Path | None = None) -> Path:
    """The program: on PATH, or in `node_modules/.bin` from `folder` (default: here) upwards.

    Raises:
        AnvilMissing: nowhere.
    """
    named = shutil.which("anvil")
    if named:
        return Path(named)
    start = (folder or Path.cwd()).resolve()
    for above in (start, *start.parents):
        program = above / "node_modules" / ".bin" / "anvil"
        if program.exists():
            return program
    raise AnvilMissing(str(start))


def is_there() -> bool:
    """Whether `find_anvil` finds it."""
    try:
        find_anvil()
    except AnvilMissing:
        return False
    return True


class Anvil:
    """A running anvil on a free port of this machine; only reachable from it."""

    def __init__(
        self,
        *,
        automine: bool = True,
        genesis_time: UnixTime | None = None,
        port: int = 0,
        options: Sequence[str] = (),
    ) -> None:
        """Starts nothing yet; use it in `with`.

        Args:
            automine: whether each transaction gets a block at once.
            genesis_time: timestamp of the first block; given, each block is one second later than
                the one before, whatever the clock says, so that a story can be repeated.
            port: 0 takes a free one.
        """
        self._options = ["--port", str(port), *options]
        if not automine:
            self._options.append("--no-mining")
        if genesis_time is not None:
            self._options += ["--timestamp", str(genesis_time)]
        self._steady = genesis_time is not None
        self._process: subprocess.Popen[str] | None = None
        self._control: Web3 | None = None
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self.url = self._start()
            if self._steady:
                self.request("anvil_setBlockTimestampInterval", 1)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def endpoint(self) -> RpcEndpoint:
        """A connection of its own, for one thread."""
        return connect(self.url)

    def request(self, method: str, *params: object) -> Any:
        """One of anvil's own commands, such as `anvil_reorg`.

        Raises:
            NodeUnreachable, NodeRefused: it failed.
        """
        if self._control is None:
            self._control = connect(self.url).web3
        with translated():
            manager = self._control.manager
            return manager.request_blocking(cast("RPCEndpoint", method), list(params))

    def set_automine(self, wanted: bool) -> None:
        """Whether each transaction gets a block at once."""
        self.request("evm_setAutomine", wanted)

    def mine(self, blocks: int = 1, *, at: UnixTime | None = None) -> None:
        """Makes blocks; the first at time `at`, which must lie ahead."""
        if at is not None:
            self.request("evm_setNextBlockTimestamp", at)
        for _ in range(blocks):
            self.request("evm_mine")

    def _start(self) -> str:
        command = [str(find_anvil()), "--host", "127.0.0.1"]
        command += ["--hardfork", _HARDFORK, *self._options]
        self._process = subprocess.Popen(
            _leashed(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C ends us, and we end it.
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "")},
        )
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(self._process, lines), daemon=True).start()
        said: list[str] = []
        end = time.monotonic() + _START_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            if line.startswith(_LISTENING):
                return "http://" + line.removeprefix(_LISTENING).strip()
            said.append(line.strip())
        raise AnvilNotStarted(" ".join(filter(None, said[-5:])) or "it said nothing")

    def stop(self) -> None:
        """Ends the process; again does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        _end(process, at_once=False)
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _end(process, at_once=True)
            process.wait()
        assert process.stdin is not None
        process.stdin.close()


if sys.platform == "win32":

    def _end(process: subprocess.Popen[str], *, at_once: bool) -> None:
        process.kill() if at_once else process.terminate()

    def _leashed(command: list[str]) -> list[str]:
        return command

else:

    def _end(process: subprocess.Popen[str], *, at_once: bool) -> None:
        """Its whole session: npm's `anvil` is a script that starts the real one."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL if at_once else signal.SIGTERM)

    def _leashed(command: list[str]) -> list[str]:
        return ["/bin/sh", "-c", _LEASH, "anvil", *command]


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Passes on what it prints, to the end: a full pipe would stop it."""
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.put(line)
    lines.put(None)
