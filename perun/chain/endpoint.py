"""What follower and submitter need of a chain: questions, and a way to hand transactions in.

Small protocols with three implementations: `perun.chain.rpc` (any JSON-RPC node, and eth-tester
behind the same face) and, for simulations, `perun.testing.endpoint`. All methods are synchronous,
and raise `perun.errors.ChainFault` for whatever the chain or the way to it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from perun.bindings.calls import Access, Call, Query
from perun.bindings.logs import Log
from perun.errors import ChainFault
from perun.types import Address, ChainId, Record, UnixTime, Wei

__all__ = [
    "Agreeing",
    "Block",
    "Endpoint",
    "Inconsistent",
    "Mined",
    "Reading",
    "Sending",
    "Telling",
    "WrongChain",
    "fits",
]

T = TypeVar("T")


@dataclass(eq=False)
class Inconsistent(ChainFault):
    """The node's answers cannot all be true: it is broken, or several that are not in step."""

    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "the node contradicts itself: {reason}"
    hint: ClassVar[str] = "it is asked again; if this stays, use another node"


@dataclass(eq=False)
class WrongChain(ChainFault):
    """Behind the address stands another chain than at first. Nothing of it is believed."""

    expected: ChainId | None
    found: ChainId

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "the node is on chain {found}, and was on {expected}"
    hint: ClassVar[str] = "nothing is read or sent until it is back; give the node's right address"


class Block(Record, frozen=True, gc=False):
    """A block's header, as far as we look at it."""

    number: int
    hash: bytes
    time: UnixTime
    base_fee: Wei
    """Least price of gas in it (EIP-1559), wei."""


class Mined(Record, frozen=True, gc=False):
    """What became of a transaction that is in a block of the chain as it is now."""

    hash: bytes
    block: int
    succeeded: bool
    """False: it reverted, changed nothing and cost its gas."""
    gas_used: int
    paid: Wei
    """Fees in all, in wei; 0 if the node does not say."""


class Reading(Protocol):
    """Questions about blocks and what they hold."""

    @property
    def reach(self) -> int:
        """Blocks that one call of `logs` may span, as the node has shown so far."""

    def block(self, number: int | None = None) -> Block | None:
        """The block of that number, or the newest; None if the chain is shorter."""

    def finalized(self) -> Block | None:
        """The newest block that the chain itself calls final; None if it has no such notion."""

    def logs(
        self,
        addresses: Sequence[Address],
        first: int,
        last: int,
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """Logs of these contracts in blocks `first` to `last`, both included, in any order.

        Args:
            topics: for each place what may stand there, or None for anything.

        Raises:
            NodeBusy: also for more blocks than `reach`, which is then lower than before.
        """

    def logs_of(self, addresses: Sequence[Address], block: Block) -> tuple[Log, ...]:
        """Logs of these contracts in this very block: by its hash, so that a node that does not
        have the block yet says so instead of "none" (EIP-234). By number where the node cannot."""

    def ask(self, query: Query[T], number: int) -> T:
        """A contract's answer after the block of that number."""

    def chain_now(self) -> ChainId:
        """EIP-155, asked for anew: behind an address another chain may come to stand."""


@runtime_checkable
class Agreeing(Protocol):
    """Several nodes behind one face."""

    @property
    def shared(self) -> int:
        """Number of the newest block that all of those had that answered when the newest was asked
        for."""

    def agreed(self, number: int) -> Block | None:
        """The block of that number; None if one of those that answer does not have it."""

    def each(self, question: Callable[[Reading], T]) -> list[T]:
        """What each says of those that answer."""


@runtime_checkable
class Telling(Protocol):
    """A node that may say by itself when there is a new block; which one is asked all the same."""

    def listen(self, seconds: float) -> bool:
        """Returns when there is a new block, or after that time. False, at once: it does not say
        such things now."""


class Sending(Protocol):
    """Transactions of an account."""

    @property
    def chain_id(self) -> ChainId:
        """EIP-155, as it was at first."""

    def next_nonce(self, account: Address, number: int | None = None) -> int:
        """How many transactions of the account are mined, up to the block of that number; None: and
        waiting in the node's pool, as far as the node tells."""

    def balance(self, account: Address, number: int | None = None) -> Wei:
        """ETH of the account in the newest block, in wei."""

    def tip(self) -> Wei:
        """What builders are paid per gas these days, in wei."""

    def estimate(self, call: Call, sender: Address) -> int:
        """Gas that `call` would use in the newest block.

        Raises:
            Reverted: it would be refused. Nothing else says so.
        """

    def touched(self, call: Call, sender: Address) -> tuple[Access, ...]:
        """What `call` would touch in the newest block (EIP-2930), if the node can say it."""

    def send(self, raw: bytes) -> None:
        """Hands in a signed transaction.

        Raises:
            PoolRefused: not taken: nonce used, fee too low, already known, too little money.
        """

    def mined(self, hash: bytes) -> Mined | None:
        """What became of a transaction; None while it is in no block."""


class Endpoint(Reading, Sending, Protocol):
    """Everything."""


def fits(log: Log, topics: Sequence[Sequence[bytes] | None]) -> bool:
    """Whether a log has what `Reading.logs` asks for, place by place."""

    def allowed(place: int, wanted: Sequence[bytes] | None) -> bool:
        return wanted is None or (place < len(log.topics) and log.topics[place] in wanted)

    return all(allowed(place, wanted) for place, wanted in enumerate(topics))
