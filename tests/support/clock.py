"""The chain's clock, on eth-tester and on anvil: the next block is at the second we say."""

from __future__ import annotations

from typing import Any, Protocol

from populus.chain import AnvilChain, TesterChain


class Clock(Protocol):
    """Sets times of blocks; they never go back."""

    def now(self) -> int:
        """Timestamp of the newest block."""

    def at(self, timestamp: int) -> None:
        """The next block carries this timestamp."""

    def mine(self) -> None:
        """An empty block."""


class TesterClock:
    """eth-tester: the header of the block in preparation can be changed."""

    def __init__(self, chain: TesterChain) -> None:
        self._chain = chain

    def now(self) -> int:
        head = self._backend.get_block_by_hash(self._backend.header.parent_hash)
        return int(head.header.timestamp)

    def at(self, timestamp: int) -> None:
        assert timestamp > self.now(), "a block is later than the one before"
        self._backend.header = self._backend.header.copy(timestamp=timestamp)

    def mine(self) -> None:
        timestamp = self._backend.header.timestamp
        self._chain.backend.mine_blocks(1)
        assert self.now() == timestamp

    @property
    def _backend(self) -> Any:
        return self._chain.backend.chain


class AnvilClock:
    """anvil: one second a block unless told otherwise, as on the other chain."""

    def __init__(self, chain: AnvilChain) -> None:
        self._web3 = chain.web3
        self._web3.provider.make_request("anvil_setBlockTimestampInterval", [1])

    def now(self) -> int:
        return int(self._web3.eth.get_block("latest")["timestamp"])

    def at(self, timestamp: int) -> None:
        self._web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])

    def mine(self) -> None:
        self._web3.provider.make_request("evm_mine", [])


def clock_of(chain: TesterChain | AnvilChain) -> Clock:
    """The clock of a running chain."""
    return AnvilClock(chain) if isinstance(chain, AnvilChain) else TesterClock(chain)
