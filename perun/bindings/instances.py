"""What a follower of the chain must know of a nanocontract, beside the core's rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from perun.bindings import abi
from perun.bindings.calls import Call, Query
from perun.bindings.logs import Event, Table
from perun.types import Address, InstanceId

__all__ = ["InstanceReader"]

R = TypeVar("R")
S = TypeVar("S")


class InstanceReader(ABC, Generic[R, S]):
    """A kind of which the chain records an `R`, and of whose record storage says an `S`."""

    table: ClassVar[Table[Any]]
    """What the contract announces."""
    direct: ClassVar[str]
    """A function whose arguments are encoded as evidence is: cheaper than `submit(bytes)`."""

    def call(self, contract: Address, evidence: bytes) -> Call:
        """Brings evidence to the chain."""
        return Call(contract, abi.selector(self.direct) + evidence)

    @abstractmethod
    def announced(self, event: Event) -> R:
        """What an event of `table` says is recorded."""

    @abstractmethod
    def ask(self, contract: Address, id: InstanceId) -> Query[S]:
        """What storage says."""

    @abstractmethod
    def differs(self, on: R | None, stored: S) -> str:
        """In what storage contradicts what was announced; empty: in nothing."""

    @abstractmethod
    def worse(self, on: R | None, stored: S) -> R | None:
        """What to be ready for if they contradict each other: what either of them warns of."""

    @abstractmethod
    def dangerous(self, stored: S) -> bool:
        """Whether storage alone says that something must be answered."""
