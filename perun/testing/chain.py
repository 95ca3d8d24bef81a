"""A chain to script: blocks when told, in any order, a pool to look into, reorganisations.

`ScriptedChain` is the world; each node sees it through a `ScriptedEndpoint` of its own, which can
be cut off. The bytecode is real, gas is free. Transactions may be signed, or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec
import pyrevm
from eth_account import Account as EthAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3.types import TxParams

from perun.bindings import reverts
from perun.bindings.calls import Call, Query
from perun.bindings.failures import NodeRefused, NodeUnreachable
from perun.bindings.logs import Log
from perun.chain.endpoint import Block, Mined, fits
from perun.crypto.hashing import keccak
from perun.testing.evm import CALL_GAS, CHAIN_ID, Evm
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["GENESIS", "PooledTransaction", "ScriptedAccount", "ScriptedChain", "ScriptedEndpoint"]

T = TypeVar("T")

GENESIS: Final = UnixTime(1_767_225_600)
_BASE_FEE: Final = Wei(10**9)


class PooledTransaction(msgspec.Struct, frozen=True, array_like=True):
    """A transaction as it travels here: signed for real, or unsigned and believed."""

    sender: Address
    nonce: int
    to: Address
    data: bytes
    value: int
    most: int
    """Price bid per gas; of two with one nonce the dearer replaces the other."""
    signed: bytes = b""
    """As a wallet has signed it; empty for a `ScriptedAccount`'s."""

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return self.signed or msgspec.json.encode(self)

    @property
    def hash(self) -> bytes:
        """Its name."""
        return keccak(self.raw)


class ScriptedAccount:
    """An account that needs no key here."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """See `perun.chain.submitter.Account`."""
        transaction = PooledTransaction(
            self.address,
            int(params["nonce"]),
            Address(bytes.fromhex(str(params["to"]).removeprefix("0x"))),
            bytes(HexBytes(params["data"])),
            int(params["value"]),
            int(str(params["maxFeePerGas"])),
        )
        return transaction.raw, transaction.hash


@dataclass(slots=True)
class _Block:
    header: Block
    before: pyrevm.JournalCheckpoint
    """Snapshot of the world before it."""
    transactions: list[PooledTransaction]
    logs: list[Log]
    nonces: dict[Address, int]


@dataclass(slots=True)
class _Past:
    """A second world that follows behind, for questions about old blocks."""

    evm: Evm
    done: list[bytes] = field(default_factory=list)
    """Hashes of the blocks it has replayed."""


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
        self._forks = 0
        genesis = Block(0, keccak(b"genesis"), GENESIS, _BASE_FEE)
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
        chosen = list(self.pool.values()) if transactions is None else list(transactions)
        block = _Block(
            Block(number, b"", time, _BASE_FEE),
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
        block.header = Block(number, name, time, _BASE_FEE)
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
            NodeRefused: known, its nonce used, or not dearer than the one it would replace.
        """
        if transaction.hash in self.pool:
            raise NodeRefused("already known")
        if transaction.nonce < self._blocks[-1].nonces.get(transaction.sender, 0):
            raise NodeRefused("nonce too low")
        for other in tuple(self.pool.values()):
            if (other.sender, other.nonce) == (transaction.sender, transaction.nonce):
                if transaction.most * 10 < other.most * 11:
                    raise NodeRefused("replacement transaction underpriced")
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


class ScriptedEndpoint:
    """One node's way to a `ScriptedChain`: `perun.chain.endpoint.Endpoint`."""

    def __init__(self, chain: ScriptedChain) -> None:
        self._chain = chain
        self._past: _Past | None = None
        self.reachable = True
        """Set to False to cut the node off."""

    def _require(self) -> ScriptedChain:
        if not self.reachable:
            raise NodeUnreachable("cut off")
        return self._chain

    # ------------------------------------------------------------------------------------ reading

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`."""
        chain = self._require()
        found = chain.block(chain.head.number if number is None else number)
        return None if found is None else found.header

    def finalized(self) -> Block | None:
        """See `Reading`; where `ScriptedChain.tagged` points."""
        chain = self._require()
        found = None if chain.tagged is None else chain.block(chain.tagged)
        return None if found is None else found.header

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`."""
        chain = self._require()
        found: list[Log] = []
        for number in range(first, last + 1):
            block = chain.block(number)
            found += [] if block is None else block.logs
        return tuple(log for log in found if log.address in addresses and fits(log, topics))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        chain = self._require()
        evm = chain.evm if number == chain.head.number else self._world_at(number)
        header = self.block(number)
        assert header is not None
        evm.set_block(number, header.time)
        with evm.trial():
            outcome = evm.call(Address(bytes(20)), query.to, query.data)
        if not outcome.succeeded:
            raise reverts.decode(outcome.output)
        return query.decode(outcome.output)

    def _world_at(self, number: int) -> Evm:
        """The world after an old block: replayed, further on from where we last were."""
        past = self._past
        if past is None or not self._leads_to(past, number):
            past = self._past = _Past(Evm())
            for account in self._chain.rich:
                past.evm.enrich(account, Wei(10**24))
        for height in range(len(past.done) + 1, number + 1):
            block = self._chain.block(height)
            assert block is not None
            past.evm.set_block(height, block.header.time)
            for item in block.transactions:
                past.evm.call(item.sender, item.to, item.data, Wei(item.value))
            past.done.append(block.header.hash)
        return past.evm

    def _leads_to(self, past: _Past, number: int) -> bool:
        if len(past.done) > number:
            return False
        block = self._chain.block(len(past.done))
        return not past.done or (block is not None and block.header.hash == past.done[-1])

    # ------------------------------------------------------------------------------------ sending

    @property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return CHAIN_ID

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`."""
        chain = self._require()
        block = chain.block(chain.head.number if number is None else number)
        nonce = 0 if block is None else block.nonces.get(account, 0)
        if number is None:
            waiting = {item.nonce for item in chain.pool.values() if item.sender == account}
            while nonce in waiting:
                nonce += 1
        return nonce

    def balance(self, account: Address) -> Wei:
        """See `Sending`."""
        return self._require().evm.balance(account)

    def tip(self) -> Wei:
        """See `Sending`."""
        return _BASE_FEE

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`; runs the call in a block that would come next."""
        chain = self._require()
        assert call.to is not None
        chain.evm.set_block(chain.head.number + 1, UnixTime(chain.now + 1))
        with chain.evm.trial():
            outcome = chain.evm.call(sender, call.to, call.data, call.value)
        if not outcome.succeeded:
            raise reverts.decode(outcome.output)
        return min(outcome.gas_used * 2, CALL_GAS)

    def send(self, raw: bytes) -> None:
        """See `Sending`."""
        self._require().receive(_read(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        return self._require().mined.get(hash)


def _read(raw: bytes) -> PooledTransaction:
    """Either kind of transaction."""
    if raw[:1] == b"[":
        return msgspec.json.decode(raw, type=PooledTransaction)
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return PooledTransaction(
        Address(bytes.fromhex(EthAccount.recover_transaction(raw)[2:])),
        int(fields["nonce"]),
        Address(bytes(fields["to"])),
        bytes(fields["data"]),
        int(fields["value"]),
        int(fields["maxFeePerGas"]),
        raw,
    )
