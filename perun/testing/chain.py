"""A chain to script: blocks when told, in any order, a pool to look into, reorganisations.

`ScriptedChain` is the world; each node sees it through a `ScriptedEndpoint` of its own
(`perun.testing.endpoint`). The bytecode is real, gas is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pyrevm

from perun.bindings.failures import PoolRefused
from perun.bindings.logs import Log
from perun.chain.endpoint import Block, Mined
from perun.crypto.hashing import keccak
from perun.testing.evm import Evm
from perun.testing.pool import PooledTransaction
from perun.types import Address, UnixTime, Wei

__all__ = ["BASE_FEE", "GENESIS", "ScriptedChain"]

GENESIS: Final = UnixTime(1_767_225_600)
BASE_FEE: Final = Wei(10**9)
"""Of every block, wei per gas; nobody pays it."""


@dataclass(slots=True)
class _Block:
    header: Block
    before: pyrevm.JournalCheckpoint
    """Snapshot of the world before it."""
    transactions: list[PooledTransaction]
    logs: list[Log]
    nonces: dict[Address, int]


class ScriptedChain:
    """The world. All times are Unix seconds of its own clock."""

    def __init__(self, rich: Iterable[Address] = ()) -> None:
        """A chain with one empty block.

        Args:
            rich: accounts that begin with a million ether.
        """
        self.rich = tuple(rich)
        self.evm = self._world()
        self.deployment = self.evm.deployment
        self.pool: dict[bytes, PooledTransaction] = {}
        """Transactions that wait, by hash, oldest first."""
        self.mined: dict[bytes, Mined] = {}
        """What became of transactions that are in blocks, by hash."""
        self.tagged: int | None = None
        """Number of the block that the chain itself calls final; None: it has no such notion."""
        self.base_fee = BASE_FEE
        """Of the blocks to come; what bids less waits."""
        self._forks = 0
        genesis = Block(0, keccak(b"genesis"), GENESIS, BASE_FEE)
        self._blocks = [_Block(genesis, self.evm.snapshot(), [], [], {})]

    def _world(self) -> Evm:
        evm = Evm()
        for account in self.rich:
            evm.enrich(account, Wei(10**24))
        return evm

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._blocks[-1].header

    @property
    def now(self) -> UnixTime:
        """Its time."""
        return self.head.time

    # -------------------------------------------------------------------------------- what happens

    def mine(
        self,
        transactions: Sequence[PooledTransaction] | None = None,
        *,
        at: UnixTime | None = None,
    ) -> Block:
        """Makes a block of these transactions in this order, as far as nonces allow.

        Args:
            transactions: None: all that wait, oldest first.
            at: its time; one second after the block before if not given.
        """
        last = self._blocks[-1]
        time = UnixTime(last.header.time + 1) if at is None else at
        assert time > last.header.time, "time goes forward"
        number = last.header.number + 1
        if transactions is None:
            transactions = [item for item in self.pool.values() if item.most >= self.base_fee]
        chosen = list(transactions)
        block = _Block(
            Block(number, b"", time, self.base_fee),
            self.evm.snapshot(),
            _in_order(chosen, last.nonces),
            [],
            dict(last.nonces),
        )
        # Two blocks of the same content on two branches are two blocks.
        name = keccak(
            last.header.hash
            + number.to_bytes(8, "big")
            + time.to_bytes(8, "big")
            + self._forks.to_bytes(8, "big")
            + b"".join(transaction.hash for transaction in block.transactions)
        )
        block.header = Block(number, name, time, self.base_fee)
        self.evm.set_block(number, time)
        for transaction in block.transactions:
            self._execute(transaction, block)
        self._blocks.append(block)
        self._purge()
        return block.header

    def _execute(self, transaction: PooledTransaction, block: _Block) -> None:
        outcome = self.evm.call(
            transaction.sender, transaction.to, transaction.data, Wei(transaction.value)
        )
        name, number = transaction.hash, block.header.number
        block.nonces[transaction.sender] = transaction.nonce + 1
        self.mined[name] = Mined(name, number, outcome.succeeded, outcome.gas_used, Wei(0))
        for log in outcome.logs:
            place = len(block.logs)
            block.logs.append(
                Log(log.address, log.topics, log.data, number, block.header.hash, name, place)
            )

    def reorganise(self, depth: int, *, keep: bool = True) -> None:
        """Takes the newest `depth` blocks back.

        Args:
            keep: whether their transactions wait again, else they are lost until sent again.
        """
        assert 0 < depth < len(self._blocks), "the first block stays"
        gone = self._blocks[-depth:]
        del self._blocks[-depth:]
        self.evm.revert(gone[0].before)
        self._forks += 1
        for block in gone:
            for item in block.transactions:
                del self.mined[item.hash]
        if keep:
            again = {item.hash: item for block in gone for item in block.transactions}
            self.pool = again | self.pool

    def forget(self, transaction: PooledTransaction) -> None:
        """Drops a waiting transaction, as nodes do when their pools are full."""
        self.pool.pop(transaction.hash, None)

    def receive(self, transaction: PooledTransaction) -> None:
        """Takes a transaction into the pool, by a node's usual rules.

        Raises:
            PoolRefused: known, its nonce used, or not dearer than the one it would replace.
        """
        if transaction.hash in self.pool:
            raise PoolRefused("already known")
        if transaction.nonce < self._blocks[-1].nonces.get(transaction.sender, 0):
            raise PoolRefused("nonce too low")
        for other in tuple(self.pool.values()):
            if (other.sender, other.nonce) == (transaction.sender, transaction.nonce):
                if transaction.most * 10 < other.most * 11:
                    raise PoolRefused("replacement transaction underpriced")
                del self.pool[other.hash]
        self.pool[transaction.hash] = transaction

    def _purge(self) -> None:
        nonces = self._blocks[-1].nonces
        self.pool = {
            name: item
            for name, item in self.pool.items()
            if item.nonce >= nonces.get(item.sender, 0)
        }

    # -------------------------------------------------------------------------------- what is seen

    def block(self, number: int) -> _Block | None:
        """A block by number."""
        return self._blocks[number] if 0 <= number < len(self._blocks) else None


def _in_order(
    chosen: Sequence[PooledTransaction], nonces: dict[Address, int]
) -> list[PooledTransaction]:
    """Those that can be mined one after another."""
    next_nonces, left, taken = dict(nonces), list(chosen), []
    found = True
    while found:
        found = False
        for transaction in left:
            if transaction.nonce == next_nonces.get(transaction.sender, 0):
                next_nonces[transaction.sender] = transaction.nonce + 1
                taken.append(transaction)
                left.remove(transaction)
                found = True
                break
    return taken
