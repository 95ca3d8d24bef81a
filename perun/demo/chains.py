"""The two chains that the story can be told on, with one face: blocks are made when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from perun.chain.anvil import Anvil
from perun.chain.memory import GENESIS_TIME, MemoryChain
from perun.chain.rpc import RpcEndpoint
from perun.types import UnixTime

__all__ = ["CHAINS", "DemoChain", "open_chain"]

CHAINS: Final = ("anvil", "tester")


class DemoChain(Protocol):
    """A chain whose clock and blocks are ours."""

    def endpoint(self) -> RpcEndpoint:
        """A connection."""

    def mine(self, blocks: int = 1, *, at: UnixTime | None = None) -> None:
        """Makes blocks, the first at time `at`."""

    def set_automine(self, wanted: bool) -> None:
        """Whether each transaction gets a block at once."""


@contextmanager
def open_chain(name: str) -> Iterator[DemoChain]:
    """Starts a chain, and ends it.

    Raises:
        AnvilMissing, AnvilNotStarted: there is no anvil.
    """
    if name == "tester":
        yield MemoryChain()
    else:
        with Anvil(genesis_time=GENESIS_TIME) as anvil:
            yield anvil
