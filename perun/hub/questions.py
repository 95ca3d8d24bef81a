"""Questions to the chain that a hub's decisions wait for, in a thread with a connection of its own.

The node's thread never waits for the chain: the answer comes back as something to do in a turn.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from perun.errors import ChainFault
from perun.hub.guest import InTurn
from perun.node.guest import Desk
from perun.types import Address, Wei

__all__ = ["Questions", "Purses"]


class Purses(Protocol):
    """Part of `perun.chain.endpoint.Sending`."""

    def balance(self, account: Address) -> Wei:
        """ETH of the account in the newest block, in wei."""


class Questions:
    """Runs from `start` to `stop`."""

    def __init__(self, connect: Callable[[], Purses], post: Callable[[InTurn], None]) -> None:
        """Args:
        connect: opens the connection, in the thread; raises `ChainFault`.
        post: has something done in a turn of the node.
        """
        self._connect, self._post = connect, post
        self._asked: queue.SimpleQueue[tuple[Address, Callable[[Desk, Wei | None], None]] | None]
        self._asked = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="perun-hub-asks", daemon=True)

    def start(self) -> None:
        """Begins to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Returns when the question at hand is answered or given up."""
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def balance(self, account: Address, found: Callable[[Desk, Wei | None], None]) -> None:
        """Asks what an account holds; None comes back if the chain does not answer."""
        self._asked.put((account, found))

    def _run(self) -> None:
        endpoint: Purses | None = None
        while (asked := self._asked.get()) is not None:
            account, found = asked
            ether: Wei | None = None
            try:
                endpoint = endpoint or self._connect()
                ether = endpoint.balance(account)
            except ChainFault:
                endpoint = None
            self._post(InTurn(lambda desk, found=found, ether=ether: found(desk, ether)))  # type: ignore[misc]
