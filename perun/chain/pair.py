"""Two nodes behind one face: what one keeps back the other tells, and they must not disagree.

One that is down, or behind, costs nothing; two that name different blocks, or different storage in
one block, are not believed, and whoever asks is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from perun.bindings.calls import Access, Call, Query
from perun.bindings.logs import Log
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block, Endpoint, Inconsistent, Mined, WrongChain
from perun.errors import ChainFault
from perun.types import Address, ChainId, Wei

__all__ = ["Compared"]

T = TypeVar("T")


class Compared:
    """`perun.chain.endpoint.Endpoint` over two of them."""

    def __init__(self, first: Endpoint, second: Endpoint) -> None:
        """Asks nothing yet."""
        self._nodes = first, second

    def _each(self, question: Callable[[Endpoint], T]) -> list[T]:
        """Both answers, or the one there is.

        Raises:
            ChainFault: there is none; the first node's.
        """
        answers: list[T] = []
        faults: list[ChainFault] = []
        for node in self._nodes:
            try:
                answers.append(question(node))
            except ChainFault as fault:
                faults.append(fault)
        if not answers:
            raise faults[0]
        return answers

    def _same(self, what: str, question: Callable[[Endpoint], T]) -> T:
        answers = self._each(question)
        if any(answer != answers[0] for answer in answers):
            raise Inconsistent(f"two nodes say different things of {what}")
        return answers[0]

    # ------------------------------------------------------------------------------------ reading

    @property
    def reach(self) -> int:
        """See `Reading`."""
        return min(node.reach for node in self._nodes)

    def block(self, number: int | None = None) -> Block | None:
        """See `Reading`. The newest that either has and the other does not contradict."""
        found = [block for block in self._each(lambda node: node.block(number)) if block]
        if not found:
            return None
        newest, oldest = max(found, key=_height), min(found, key=_height)
        if newest.number != oldest.number:
            found = [block for block in self._each(lambda node: node.block(oldest.number)) if block]
        if any(block.hash != oldest.hash for block in found):
            raise Inconsistent(f"two nodes have different blocks {oldest.number}")
        return newest

    def finalized(self) -> Block | None:
        """See `Reading`. What both call final, if both call any."""
        found = [block for block in self._each(lambda node: node.finalized()) if block]
        return min(found, key=_height, default=None)

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`. All that either has."""
        return _merged(self._each(lambda node: node.logs(addresses, first, last, topics)))

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """See `Reading`. All that either has."""
        return _merged(self._each(lambda node: node.logs_of(addresses, block)))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        return self._same(f"storage in block {number}", lambda node: node.ask(query, number))

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        found = self._each(lambda node: node.chain_now())
        if found[0] != found[-1]:
            raise WrongChain(found[0], found[-1])
        return found[0]

    # ------------------------------------------------------------------------------------ sending

    @property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return self._same("the chain's id", lambda node: node.chain_id)

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`. One that is behind has seen fewer."""
        return max(self._each(lambda node: node.next_nonce(account, number)))

    def balance(self, account: Address) -> Wei:
        """See `Sending`."""
        return min(self._each(lambda node: node.balance(account)))

    def tip(self) -> Wei:
        """See `Sending`."""
        return min(self._each(lambda node: node.tip()))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`. A contract refuses if nobody says that it would not."""

        def estimate(node: Endpoint) -> int | Reverted:
            try:
                return node.estimate(call, sender)
            except Reverted as refusal:
                return refusal

        found = self._each(estimate)
        gas = [answer for answer in found if not isinstance(answer, Reverted)]
        for refusal in found:
            if isinstance(refusal, Reverted) and not gas:
                raise refusal
        return max(gas)

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """See `Sending`. A hint, so that either will do."""
        return self._each(lambda node: node.touched(call, sender))[0]

    def send(self, raw: bytes) -> None:
        """See `Sending`. To both; one that takes it is enough."""
        self._each(lambda node: node.send(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        return next((found for found in self._each(lambda node: node.mined(hash)) if found), None)


_: Callable[[Endpoint, Endpoint], Endpoint] = Compared  # so that no question is forgotten


def _height(block: Block) -> int:
    return block.number


def _merged(answers: Sequence[Sequence[Log]]) -> tuple[Log, ...]:
    """Each log once, though nodes may count transactions in other ways."""
    found = {
        (log.block_hash, log.transaction, log.index, log.address, log.topics, log.data): log
        for logs in answers
        for log in logs
    }
    return tuple(found.values())
