"""Logs as the chain keeps them, and how an event is read out of one; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from perun.bindings import abi
from perun.errors import Misuse
from perun.types import Address, Record

if TYPE_CHECKING:
    from web3.types import LogReceipt

E = TypeVar("E", bound="Event")
E_co = TypeVar("E_co", bound="Event", covariant=True)


class Log(Record, frozen=True, gc=False):
    """One entry of a block's log."""

    address: Address
    """The contract that logged it. Anybody can log anything: look here before believing it."""
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: bytes
    transaction: bytes
    """Hash of the transaction."""
    index: int
    """Position in the block; with some nodes, in the transaction."""
    transaction_index: int = 0
    """Position of the transaction in the block."""

    @property
    def place(self) -> tuple[int, int, int]:
        """By which logs are in the order in which they were made. Answers need not be."""
        return self.block, self.transaction_index, self.index


class Event(Record, frozen=True, gc=False):
    """Base of everything that the contracts announce."""


class Unreadable(Event, frozen=True, gc=False):
    """An event of ours with values that no honest party signs, such as a lock above 2**111 − 1.

    Strangers can log such in channels of their own, in a token of their own. Whoever reads a whole
    chain must not stumble over it.
    """

    log: Log
    reason: str


@dataclass(frozen=True, slots=True)
class EventKind(Generic[E]):
    """How one event is laid out, and what record it becomes."""

    signature: str
    """Solidity's name and types."""
    indexed: tuple[str, ...]
    """Types that stand in topics; they come first in every event of ours."""
    plain: tuple[str, ...]
    """Types that stand in the data."""
    build: Callable[..., E]

    def read(self, log: Log) -> E | Unreadable:
        """The event of a log whose first topic is this kind's.

        Raises:
            BadAnswer: the log is cut off or of another layout.
        """
        topics = log.topics[1:]
        if len(topics) != len(self.indexed):
            raise abi.BadAnswer
        values = [
            abi.decode((kind,), word)[0] for kind, word in zip(self.indexed, topics, strict=True)
        ]
        try:
            return self.build(*values, *abi.decode(self.plain, log.data))
        except Misuse as error:
            return Unreadable(log, str(error))


class Table(Generic[E_co]):
    """The events of one contract, found by first topic."""

    def __init__(self, *kinds: EventKind[Any]) -> None:
        self._by_topic = {abi.topic(kind.signature): kind for kind in kinds}
        self.signatures: Mapping[str, EventKind[Any]] = {kind.signature: kind for kind in kinds}

    def read(self, log: Log) -> E_co | Unreadable | None:
        """The event a log holds; None if it is none of this contract's kinds.

        Says nothing about who logged it: compare `log.address` first, or use `read_from`.

        Raises:
            BadAnswer: the log is cut off or of another layout.
        """
        kind = self._by_topic.get(log.topics[0]) if log.topics else None
        return None if kind is None else kind.read(log)

    def read_from(self, address: Address, logs: Iterable[Log]) -> tuple[E_co | Unreadable, ...]:
        """Events that the contract at `address` has logged; others' logs are left out.

        Raises:
            BadAnswer: one of its logs is cut off or of another layout.
        """
        events = (self.read(log) for log in logs if log.address == address)
        return tuple(event for event in events if event is not None)


def kind(
    name: str, indexed: tuple[str, ...], plain: tuple[str, ...], build: Callable[..., E]
) -> EventKind[E]:
    """Describes an event by its name and types."""
    return EventKind(f"{name}({','.join(indexed + plain)})", indexed, plain, build)


def from_web3(receipt: LogReceipt) -> Log:
    """A log as web3 returns it in receipts and from `get_logs`."""
    return Log(
        address=Address(bytes.fromhex(receipt["address"].removeprefix("0x"))),
        topics=tuple(bytes(topic) for topic in receipt["topics"]),
        data=bytes(receipt["data"]),
        block=int(receipt["blockNumber"]),
        block_hash=bytes(receipt["blockHash"]),
        transaction=bytes(receipt["transactionHash"]),
        index=int(receipt["logIndex"]),
        transaction_index=int(receipt.get("transactionIndex") or 0),
    )


def stands(receipt: Mapping[str, object]) -> bool:
    """Whether a log is in a block: not in one taken back since, nor in one that is to come."""
    return not receipt.get("removed") and receipt.get("blockNumber") is not None
