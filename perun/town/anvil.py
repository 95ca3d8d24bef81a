"""Keeps a chain that anvil makes: each block that holds something is on disk before the next.

anvil forgets everything when it is killed, and writes its own file in place. So it makes blocks
only when told, and after each block with transactions its state is written beside the old one and
takes its name. Killed at any moment, the chain goes back by one block at most, which is less than
what counts as final; and it is told. Empty blocks are not worth a write: as many are made anew.
"""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import requests
from msgspec.structs import replace

from perun.bindings.failures import NodeUnreachable
from perun.chain.anvil import Anvil
from perun.nesting import read_json
from perun.town.pace import SECOND, Pace

__all__ = ["keep_anvil"]

_STATE: Final = "state.json"
_NEWEST: Final = "newest.json"
_RICH: Final = "1000000"
"""Ether of each of its own accounts at the beginning."""
_WRITE: Final = 60
"""Blocks after which the state is written even if they are empty."""
_DUMP_SECONDS: Final = 60.0
_FINAL: Final = 3
"""Blocks made at the start: anvil knows no older states, and nodes ask for those of final ones."""


class Newest(msgspec.Struct, frozen=True):
    """What was there before the end, so that it is noticed if it is not there afterwards."""

    born: int
    """Unix time of the first block."""
    number: int = 0
    """Of the newest block."""
    full: int = 0
    """Of the newest block with transactions …"""
    hash: str = ""
    """… and its hash."""


def keep_anvil(
    folder: Path,
    port: int,
    ready: Callable[[], None],
    say: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Runs the chain until it is told to stop.

    Args:
        ready: called once it serves.
        say: told what people should know.

    Raises:
        ChainFault: anvil is missing, does not start, or has ended.
        OSError: the state cannot be written.
    """
    state = folder / _STATE
    newest = _read(folder / _NEWEST)
    # The same at each start, so that there is one first block for good.
    options = ["--balance", _RICH, "--timestamp", str(newest.born)]
    if state.exists():
        options += ["--load-state", str(state)]
    with Anvil(automine=False, port=port, options=options) as anvil:
        anvil.request("evm_setTime", int(time.time()))  # from there on its clock is ours
        keeper = _Keeper(anvil, folder, newest)
        keeper.take_up(say)
        ready()
        pace = Pace()
        while not stop.wait(SECOND):
            if pace.is_due(keeper.waiting()):
                keeper.make()
        keeper.write()


class _Keeper:
    def __init__(self, anvil: Anvil, folder: Path, newest: Newest) -> None:
        self._anvil, self._folder, self._newest = anvil, folder, newest
        self._unwritten = 0

    def take_up(self, say: Callable[[str], None]) -> None:
        """After a start: notices what is missing, and makes the height what it was."""
        newest, here = self._newest, self._number()
        if newest.hash:
            block = self._anvil.request("eth_getBlockByNumber", hex(newest.full), False)
            if block is None or block["hash"] != newest.hash:
                say(
                    f"The chain went back: block {newest.full}, which was there before the end, is "
                    "gone. Nodes send again what was in it."
                )
        for _ in range(max(_FINAL, newest.number - here)):
            self._anvil.mine()
        self._note(self._number(), 0, None)
        self.write()

    def waiting(self) -> int:
        """Transactions that could be in the next block."""
        return int(self._anvil.request("txpool_status")["pending"], 16)

    def make(self) -> None:
        """A block; on disk if it holds something."""
        self._anvil.mine()
        block: Any = self._anvil.request("eth_getBlockByNumber", "latest", False)
        held = len(block["transactions"])
        # Known before it is written: otherwise its loss would not be noticed.
        self._note(int(block["number"], 16), held, block["hash"])
        self._unwritten += 1
        if held or self._unwritten >= _WRITE:
            self.write()

    def write(self) -> None:
        """The whole state takes the place of the old one."""
        packed = self._dump()
        _replace(self._folder / _STATE, gzip.decompress(bytes.fromhex(packed[2:])))
        self._unwritten = 0

    def _dump(self) -> str:
        # Grows with the chain beyond what is otherwise believed of a node's answer.
        asked: Any = {"jsonrpc": "2.0", "id": 1, "method": "anvil_dumpState", "params": []}
        try:
            answer = requests.post(self._anvil.url, json=asked, timeout=_DUMP_SECONDS).json()
            return str(answer["result"])
        except (requests.RequestException, KeyError) as error:
            raise NodeUnreachable(f"no state from anvil: {type(error).__name__}") from error

    def _note(self, number: int, held: int, hash: str | None) -> None:
        if held and hash is not None:
            self._newest = replace(self._newest, number=number, full=number, hash=hash)
        else:
            self._newest = replace(self._newest, number=number)
        _replace(self._folder / _NEWEST, msgspec.json.encode(self._newest))

    def _number(self) -> int:
        return int(self._anvil.request("eth_blockNumber"), 16)


def _read(file: Path) -> Newest:
    try:
        return read_json(file.read_bytes(), Newest)
    except (OSError, msgspec.DecodeError):
        return Newest(int(time.time()))


def _replace(file: Path, content: bytes) -> None:
    """Either the old content is there afterwards, or the new one."""
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
