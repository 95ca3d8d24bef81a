"""Two nodes behind one face: what one keeps back the other tells, and they must not disagree.

One that is down, or behind, costs nothing, and one that lets us wait in vain is left out for some
rounds, so that the other's news comes in time; two that name different blocks, or different storage
in one block, are not believed, and whoever asks is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from perun.bindings.calls import Access, Call, Query
from perun.bindings.failures import NodeUnreachable
from perun.bindings.logs import Log
from perun.bindings.reverts import Reverted
from perun.chain.endpoint import Block, Endpoint, Inconsistent, Mined, Telling, WrongChain
from perun.chain.reports import Report, Unanswered
from perun.errors import ChainFault
from perun.types import Address, ChainId, Wei

__all__ = ["Compared"]

T = TypeVar("T")

_LONGEST_REST: Final = 16
"""Looks at the newest block for which a node is left out that does not answer at all."""

_FAR: Final = 64
"""Blocks by which a node is behind when that is told: nothing is final meanwhile."""


class Compared:
    """`perun.chain.endpoint.Endpoint` over two of them."""

    def __init__(
        self, first: Endpoint, second: Endpoint, report: Callable[[Report], None] = lambda _: None
    ) -> None:
        """Asks nothing yet.

        Args:
            report: told when one of them stops to answer: the other is believed alone then.
        """
        self._nodes = first, second
        self._report = report
        self._looks = 0
        self.shared = 0
        """See `Agreeing`."""
        self._lags = False
        self._silent: dict[int, tuple[int, int]] = {}
        """How often in a row a node was out of reach, and until which look it is left out."""

    def each(self, question: Callable[[Endpoint], T]) -> list[T]:
        """See `Agreeing`. Both answers, or the one there is.

        Raises:
            ChainFault: there is none; the first node's.
        """
        answers: list[T] = []
        faults: list[ChainFault] = []
        awake = [at for at in (0, 1) if self._silent.get(at, (0, 0))[1] <= self._looks]
        for at in awake or (0, 1):
            try:
                answers.append(question(self._nodes[at]))
                self._silent.pop(at, None)
            except ChainFault as fault:
                faults.append(fault)
                if isinstance(fault, NodeUnreachable):
                    self._rest(at, fault)
        if not answers:
            raise faults[0]
        return answers

    def _rest(self, at: int, fault: ChainFault) -> None:
        # Each question to it may have cost as long as a request may take.
        times = self._silent.get(at, (0, 0))[0]
        if not times:
            name = ("first", "second")[at]
            self._report(Unanswered(f"the {name} of two nodes", str(fault)))
        self._silent[at] = times + 1, self._looks + min(2**times, _LONGEST_REST)

    def _same(self, what: str, question: Callable[[Endpoint], T]) -> T:
        answers = self.each(question)
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
        self._looks += number is None
        found = [block for block in self.each(lambda node: node.block(number)) if block]
        if not found:
            return None
        newest, oldest = max(found, key=_height), min(found, key=_height)
        if newest.number != oldest.number:
            found = [block for block in self.each(lambda node: node.block(oldest.number)) if block]
        if any(block.hash != oldest.hash for block in found):
            raise Inconsistent(f"two nodes have different blocks {oldest.number}")
        if number is None:
            self.shared = oldest.number
            return self._alone(newest, oldest)
        return newest

    def _alone(self, newest: Block, oldest: Block) -> Block:
        """A newest block that one of them may have made up: its price of gas decides what is worth
        an answer, and rises by an eighth a block at most (EIP-1559)."""
        gap = newest.number - oldest.number
        lags = gap > _FAR
        if lags and not self._lags:
            self._report(Unanswered("one of two nodes", f"it is {gap} blocks behind the other"))
        self._lags = lags
        if not oldest.base_fee or lags:
            return newest
        most = oldest.base_fee * 9**gap // 8**gap + gap
        return replace(newest, base_fee=Wei(min(newest.base_fee, most)))

    def agreed(self, number: int) -> Block | None:
        """See `Agreeing`. Of what one is ahead by, nothing is final."""
        found = self.each(lambda node: node.block(number))
        if None in found:
            return None
        if any(block != found[0] for block in found):
            raise Inconsistent(f"two nodes have different blocks {number}")
        return found[0]

    def finalized(self) -> Block | None:
        """See `Reading`. What both call final, if both call any, and both have."""
        found = [block for block in self.each(lambda node: node.finalized()) if block]
        oldest = min(found, key=_height, default=None)
        return None if oldest is None else self.agreed(oldest.number)

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """See `Reading`. All that either has."""
        return _merged(self.each(lambda node: node.logs(addresses, first, last, topics)))

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """See `Reading`. All that either has."""
        return _merged(self.each(lambda node: node.logs_of(addresses, block)))

    def ask(self, query: Query[T], number: int) -> T:
        """See `Reading`."""
        return self._same(f"storage in block {number}", lambda node: node.ask(query, number))

    def listen(self, seconds: float) -> bool:
        """See `Telling`. The first that does."""
        return any(isinstance(node, Telling) and node.listen(seconds) for node in self._nodes)

    def chain_now(self) -> ChainId:
        """See `Reading`."""
        found = self.each(lambda node: node.chain_now())
        if found[0] != found[-1]:
            raise WrongChain(found[0], found[-1])
        return found[0]

    # ------------------------------------------------------------------------------------ sending

    @property
    def chain_id(self) -> ChainId:
        """See `Sending`."""
        return self._same("the chain's id", lambda node: node.chain_id)

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """See `Sending`. One that is behind has seen fewer; those that are not must agree."""
        if number is None:
            return min(self.each(lambda node: node.next_nonce(account)))

        def count(node: Endpoint) -> tuple[int, Endpoint]:
            return node.next_nonce(account, number), node

        found = self.each(count)
        if found[0][0] != found[-1][0]:
            found = [(one, node) for one, node in found if node.block(number) is not None] or found
        if found[0][0] != found[-1][0]:
            raise Inconsistent(f"two nodes count different transactions in block {number}")
        return found[0][0]

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """See `Sending`. Whoever says less must not keep an answer back; a pool knows better. Of
        one block both say the same."""
        if number is None:
            return max(self.each(lambda node: node.balance(account)))
        return self._same("a balance", lambda node: node.balance(account, number))

    def tip(self) -> Wei:
        """See `Sending`."""
        return min(self.each(lambda node: node.tip()))

    def estimate(self, call: Call, sender: Address) -> int:
        """See `Sending`. A contract refuses if nobody says that it would not."""

        def estimate(node: Endpoint) -> int | Reverted:
            try:
                return node.estimate(call, sender)
            except Reverted as refusal:
                return refusal

        found = self.each(estimate)
        gas = [answer for answer in found if not isinstance(answer, Reverted)]
        for refusal in found:
            if isinstance(refusal, Reverted) and not gas:
                raise refusal
        return max(gas)

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """See `Sending`. A hint, so that either will do."""
        return self.each(lambda node: node.touched(call, sender))[0]

    def send(self, raw: bytes) -> None:
        """See `Sending`. To both; one that takes it is enough."""
        self.each(lambda node: node.send(raw))

    def mined(self, hash: bytes) -> Mined | None:
        """See `Sending`."""
        return next((found for found in self.each(lambda node: node.mined(hash)) if found), None)


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
