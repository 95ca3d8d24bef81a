"""Payment machines in bytes: ids, what is signed, and evidence for `VPM.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    Address,
    ChainId,
    Digest,
    InstanceId,
    Machine,
    MachineId,
    Ready,
    Signature,
    Statement,
    Wei,
)


class VPMDomain(Domain, frozen=True, gc=False):
    """Domain of payment machines: Statement, Ready (EIP-712)."""

    contract_name: ClassVar[str] = "VPM"


def vpm_domain(chain_id: ChainId, contract: Address) -> VPMDomain:
    """Domain `{"Perun VPM", "1"}` of the VPM at `contract`."""
    return domain_of(VPMDomain, chain_id, contract)


STATEMENT_TYPE = "Statement(bytes32 machine,uint112 paid)"
READY_TYPE = "Ready(bytes32 machine)"
_STATEMENT = keccak(STATEMENT_TYPE.encode())
_READY = keccak(READY_TYPE.encode())


def machine_id(domain: VPMDomain, machine: Machine) -> MachineId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, machine))`."""
    return MachineId(InstanceId(keccak(domain.separator + machine_words(machine))))


def machine_words(machine: Machine) -> bytes:
    """`abi.encode(machine)`, 7 words."""
    return (
        words.address(machine.alice)
        + words.address(machine.bob)
        + words.unsigned(machine.alice_lock)
        + words.unsigned(machine.bob_lock)
        + words.unsigned(machine.validity)
        + words.unsigned(machine.challenge)
        + machine.salt
    )


def statement_digest(domain: VPMDomain, statement: Statement) -> Digest:
    """What the payer's key signs for `statement` (protocol, section 4)."""
    fields = _STATEMENT + statement.machine + words.unsigned(statement.paid)
    return Digest(keccak(domain.prefix + keccak(fields)))


def ready_digest(domain: VPMDomain, ready: Ready) -> Digest:
    """What the machine key signs for `ready` (protocol, section 5, Paying)."""
    return Digest(keccak(domain.prefix + keccak(_READY + ready.machine)))


def statements_evidence(
    machine: Machine,
    paid_by_alice: Wei,
    signature_alice: Signature,
    paid_by_bob: Wei,
    signature_bob: Signature,
) -> bytes:
    """`abi.encode(machine, paidByAlice, signatureAlice, paidByBob, signatureBob)` for `VPM.submit`.

    A side that has nothing to show has total 0 and an empty signature.

    Raises:
        NotAnAmount, AmountOutOfRange: a total is no amount.
    """
    checks.amount("paid_by_alice", paid_by_alice)
    checks.amount("paid_by_bob", paid_by_bob)
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (7 + 4)
    return (
        machine_words(machine)
        + words.unsigned(paid_by_alice)
        + words.unsigned(head_length)
        + words.unsigned(paid_by_bob)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


MACHINE: Final = InDomain(
    VPMDomain,
    (
        TypedData(Statement, STATEMENT_TYPE, statement_digest),
        TypedData(Ready, READY_TYPE, ready_digest),
    ),
)
