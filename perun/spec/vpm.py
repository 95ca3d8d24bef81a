"""`VPM`, the virtual payment machine: a nanocontract for payments (protocol, section 4).

Each side signs statements "I have paid you this much in total". As long as nobody submits one,
nothing has moved. The first submission, by `validity`, starts a clock; while it runs, totals may
rise; when it is over, the difference of the totals is the outcome, for ever and for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eth_abi.abi import decode

from perun.encoding import VPMDomain, machine_id, statement_digest
from perun.spec import consent
from perun.spec.nanocontract import Nanocontract, address_in
from perun.spec.reverts import FinalTimeTooFar, TooLate, TotalTooLarge
from perun.types import (
    MAX_AMOUNT,
    Address,
    Machine,
    MachineId,
    Signature,
    Statement,
    Wei,
)

MAX_DEADLINE = 2**34 - 1
TERMS: Final = "(address,address,uint112,uint112,uint40,uint32,bytes32)"


@dataclass(frozen=True, slots=True)
class Totals:
    """A machine's slot: what each side has paid in all, and until when that may rise."""

    alice: int = 0
    bob: int = 0
    deadline: int = 0


@dataclass(slots=True)
class VPM(Nanocontract):
    domain_type: ClassVar = VPMDomain

    def submit_statements(
        self,
        machine: Machine,
        paid_by_alice: Wei,
        signature_alice: Signature,
        paid_by_bob: Wei,
        signature_bob: Signature,
    ) -> None:
        """Raise the recorded totals; whoever calls. A call that raises none does nothing.

        A side whose lock is 0 pays nothing, so its total is never recorded: the outcome of a
        one-way machine only rises [A10].
        """
        for paid in (paid_by_alice, paid_by_bob):
            if paid > MAX_AMOUNT:
                raise TotalTooLarge(paid)
        final_time = machine.validity + machine.challenge
        if final_time > MAX_DEADLINE:
            raise FinalTimeTooFar(final_time)
        identity = machine_id(self.domain, machine)
        old: Totals = self.records.get(identity, Totals())
        alice_rises = machine.alice_lock > 0 and paid_by_alice > old.alice
        bob_rises = machine.bob_lock > 0 and paid_by_bob > old.bob
        if not alice_rises and not bob_rises:
            return
        begun = identity in self.records
        limit = old.deadline if begun else machine.validity
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        if alice_rises:
            self._signed(machine.alice, identity, paid_by_alice, signature_alice)
        if bob_rises:
            self._signed(machine.bob, identity, paid_by_bob, signature_bob)

        new = Totals(
            paid_by_alice if alice_rises else old.alice,
            paid_by_bob if bob_rises else old.bob,
            old.deadline if begun else self.host.now + machine.challenge,
        )
        self.records[identity] = new
        self.emit("Submitted", identity, new.alice, new.bob, new.deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): after the deadline, what Alice has paid more than Bob."""
        record: Totals | None = self.records.get(identity)
        if not record or self.host.now <= record.deadline:
            return False, 0
        return True, record.alice - record.bob

    def totals(self, identity: MachineId) -> tuple[int, int, int]:
        record: Totals = self.records.get(identity, Totals())
        return record.alice, record.bob, record.deadline

    def decoded(self, evidence: bytes) -> tuple[Machine, Wei, Signature, Wei, Signature]:
        """Reads `abi.encode(machine, paidByAlice, signatureAlice, paidByBob, signatureBob)`."""
        words = decode([TERMS, "uint256", "bytes", "uint256", "bytes"], evidence)
        terms, by_alice, signed_alice, by_bob, signed_bob = words
        machine = _machine(terms)
        return machine, by_alice, signed_alice, by_bob, signed_bob

    def take(self, evidence: bytes) -> None:
        self.submit_statements(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[MachineId, int]:
        machine = self.read(evidence)[0]
        return machine_id(self.domain, machine), machine.validity

    def _signed(self, payer: Address, machine: MachineId, paid: Wei, signature: Signature) -> None:
        digest = statement_digest(self.domain, Statement(machine, paid))
        consent.signed(payer, digest, signature)


def _machine(words: tuple[Any, ...]) -> Machine:
    alice, bob, *rest = words
    return Machine(address_in(alice), address_in(bob), *rest)
