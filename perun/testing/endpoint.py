"""One node's way to a `ScriptedChain`, which can be cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from perun.bindings import reverts
from perun.bindings.calls import Access, Call, Query
from perun.bindings.failures import NodeBusy, NodeUnreachable
from perun.bindings.logs import Log
from perun.chain.endpoint import Block, Mined, fits
from perun.testing.chain import BASE_FEE, ScriptedChain
from perun.testing.evm import CALL_GAS, CHAIN_ID, Evm
from perun.testing.pool import read
from perun.types import Address, ChainId, UnixTime, Wei

__all__ = ["ScriptedEndpoint"]

T = TypeVar("T")


@dataclass(slots=True)
class _Past:
    """A second world that follows behind, for questions about old blocks."""

    evm: Evm
    done: list[bytes] = field(default_factory=list)
    """Hashes of the blocks it has replayed."""


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

    @property
    def reach(self) -> int:
        """See `Reading`; any number."""
        return 2**62

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """See `Reading`."""
        found = self.block(block.number)
        if found is None or found.hash != block.hash:
            raise NodeBusy("unknown block")
        return self.logs(addresses, block.number, block.number)

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        self._require()
        return CHAIN_ID

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        chain = self._require()
        header = self.block(number)
        if header is None:
            raise NodeBusy("header not found")
        evm = chain.evm if number == chain.head.number else self._world_at(number)
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
        return BASE_FEE

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

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:  # noqa: ARG002
        """See `Sending`: like many nodes, this one cannot say."""
        return ()

    def send(self, raw: bytes) -> None:
        """See `Sending`."""
        self._require().receive(read(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        return self._require().mined.get(hash)
