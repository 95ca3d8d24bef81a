"""A whole chain inside this process: eth-tester on py-evm, with a clock of its own.

Nothing outside Python is needed. Blocks are made when told, or with each transaction; each is one
second later than the one before unless told otherwise, so that the same story is the same chain.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from perun.chain.rpc import RpcEndpoint
from perun.types import UnixTime

__all__ = ["GENESIS_TIME", "MNEMONIC", "MemoryChain"]

MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The well-known one of development chains: its ten keys are public, and rich here."""

GENESIS_TIME: Final = UnixTime(1_767_225_600)
"""2026-01-01 00:00:00 UTC."""


class _OneAtATime(EthereumTesterProvider):
    """eth-tester is not made for threads."""

    def __init__(self, tester: EthereumTester) -> None:
        super().__init__(tester)
        self._lock = threading.RLock()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        with self._lock:
            return super().make_request(method, params)


class MemoryChain:
    """An eth-tester chain with ten rich accounts; gone with the process."""

    def __init__(self, *, automine: bool = True) -> None:
        """Starts it.

        Args:
            automine: whether each transaction gets a block at once; else `mine` makes them.
        """
        backend = PyEVMBackend.from_mnemonic(
            MNEMONIC, genesis_overrides={"timestamp": GENESIS_TIME, "gas_limit": 30_000_000}
        )
        self._tester = EthereumTester(backend, auto_mine_transactions=automine)
        self.web3 = Web3(_OneAtATime(self._tester))
        self.time = UnixTime(GENESIS_TIME)

    def endpoint(self) -> RpcEndpoint:
        """For a `ChainService`; several may share the chain."""
        return RpcEndpoint(self.web3, finality_tag=False)

    def mine(self, blocks: int = 1, *, at: UnixTime | None = None) -> None:
        """Makes blocks; the first at time `at`, which must lie ahead."""
        if at is not None:
            self._tester.time_travel(at)
        self._tester.mine_blocks(blocks)
