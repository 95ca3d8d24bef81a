"""What an account has on chain, outside all channels: asked for once a block, and not waited for
longer than a person would."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from perun.chain.rpc import RpcEndpoint
from perun.errors import ChainFault
from perun.types import Address, Wei

__all__ = ["Purse"]

_SECONDS: Final = 1.0


class Purse:
    """Any thread may look."""

    def __init__(
        self, connect: Callable[[], RpcEndpoint], account: Address, head: Callable[[], int]
    ) -> None:
        """Args:
        connect: opens a connection of our own; raises `ChainFault`.
        head: number of the newest block that the node has seen.
        """
        self._connect, self._account, self._head = connect, account, head
        self._endpoint: RpcEndpoint | None = None
        self._known: tuple[int, Wei] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="perun-purse")

    def look(self) -> Wei | None:
        """ETH in wei, as of the newest block; None: the chain's node has not answered in time."""
        try:
            return self._pool.submit(self._ask).result(timeout=_SECONDS)
        except (ChainFault, TimeoutError, RuntimeError):
            return None

    def stop(self) -> None:
        """Asks no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self) -> Wei:
        head = self._head()
        if self._known is None or self._known[0] != head:
            try:
                self._endpoint = self._endpoint or self._connect()
                self._known = head, self._endpoint.balance(self._account)
            except ChainFault:
                self._endpoint = None
                raise
        return self._known[1]
