"""What every nanocontract answers (protocol, section 4)."""

from __future__ import annotations

from typing import Any, ClassVar

from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.front import Front
from perun.bindings.instances import InstanceReader
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.types import Address, DomainSeparator, InstanceId, Nano, Record, UnixTime, Wei

OUTCOME = "outcome(bytes32)"
SUBMIT = "submit(bytes)"
DOMAIN_SEPARATOR = "DOMAIN_SEPARATOR()"


class Outcome(Record, frozen=True, gc=False):
    """What an instance has decided (protocol, section 4)."""

    done: bool
    """Whether the decision is final."""
    shift: Wei
    """What moves from the instance's Alice to its Bob, in the asset's smallest unit; negative the
    other way. Meaningful only if done."""


def outcome(contract: Address, id: InstanceId) -> Query[Outcome]:
    """Asks what an instance has decided."""
    return Query(
        contract,
        abi.encode_call(OUTCOME, id),
        lambda data: Outcome(*abi.decode(("bool", "int112"), data)),
    )


def submit(contract: Address, evidence: bytes) -> Call:
    """Hands evidence in, in the nanocontract's own encoding (`perun.encoding`)."""
    return Call(contract, abi.encode_call(SUBMIT, evidence))


def domain_separator(contract: Address) -> Query[DomainSeparator]:
    """Asks what a contract's digests and ids begin with (EIP-712)."""
    return Query(
        contract,
        abi.encode_call(DOMAIN_SEPARATOR),
        lambda data: DomainSeparator(abi.decode(("bytes32",), data)[0]),
    )


class Nanocontract(Front):
    """Any contract that decides how much of the money locked under an instance moves.

    Source: protocol, section 4. Sending and errors as in `Front`.
    """

    # Any: what is read is the kind's own.
    reader: ClassVar[InstanceReader[Any, Any]]
    """How its instances are read on the chain; of contracts that nodes know."""

    def outcome(self, id: InstanceId) -> Outcome:
        """What instance `id` has decided."""
        return self._ask(outcome(self.address, id))

    def _listed(
        self, id: InstanceId, locks: tuple[Wei, Wei], final_time: int, swapped: bool
    ) -> Nano:
        """How a channel's state lists an instance (protocol, section 4, *what an honest party
        locks*): what its Alice and its Bob lock, until its final time; `swapped`: whether its
        Alice is the channel's Bob."""
        alice, bob = reversed(locks) if swapped else locks
        return Nano(self.address, id, alice, bob, UnixTime(final_time), swapped)

    def submit(
        self,
        evidence: bytes,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Hands evidence in, from anybody; it carries its own signatures."""
        return self._send(submit(self.address, evidence), sender, gas, fees)

    def domain_separator(self) -> DomainSeparator:
        """What the contract's digests and ids begin with (EIP-712)."""
        return self._ask(domain_separator(self.address))
