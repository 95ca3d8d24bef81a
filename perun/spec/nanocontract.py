"""What the nanocontracts of this package have in common: bytes in, bytes out.

One more kind is a file in `nanocontracts` and a line in `contracts`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from eth_abi.exceptions import DecodingError

from perun.encoding.domains import (
    Domain,
)
from perun.errors import Misuse
from perun.spec.host import Host
from perun.spec.reverts import MalformedEvidence, Refused
from perun.types import Address, InstanceId

__all__ = ["MAX_TIME", "Nanocontract", "address_in"]

MAX_TIME: Final = 2**34 - 1
"""The last second that a record has room for."""


# Any: ids, records, terms and pieces of evidence are of a type for each kind.
@dataclass(slots=True)
class Nanocontract(ABC):
    """An `App` of ours, as `MSContract` and everybody else meet it."""

    host: Host
    domain: Any
    records: dict[Any, Any] = field(default_factory=dict)
    """What is stored, by instance."""

    domain_type: ClassVar[type[Domain]]

    @abstractmethod
    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift) of an instance."""

    @abstractmethod
    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """See `read`; may raise what decoding and records raise."""

    @abstractmethod
    def take(self, evidence: bytes) -> None:
        """`submit`: evidence in bytes, from whoever calls; raises `Refused`."""

    @abstractmethod
    def about(self, evidence: bytes) -> tuple[InstanceId, int]:
        """Of which instance evidence is, and the last second for the first one."""

    def read(self, evidence: bytes) -> tuple[Any, ...]:
        """The terms that evidence is about, and what it shows; raises `MalformedEvidence`."""
        try:
            return self.decoded(evidence)
        except (DecodingError, Misuse) as error:
            raise MalformedEvidence(len(evidence)) from error

    def answer(self, nano_id: bytes) -> bytes:
        """See `App`."""
        done, shift = self.outcome(nano_id)
        return int(done).to_bytes(32, "big") + shift.to_bytes(32, "big", signed=True)

    def submit(self, evidence: bytes) -> bool:
        """See `App`."""
        try:
            self.take(evidence)
        except Refused:
            return False
        return True

    def emit(self, name: str, *args: object) -> None:
        """Announces something in this contract's name."""
        self.host.emit(name, *args, by=self.domain.contract)


def address_in(text: str) -> Address:
    """An address as the decoder gives it."""
    return Address(bytes.fromhex(text[2:]))
