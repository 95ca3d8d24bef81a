"""VPM, the virtual payment machine (protocol, section 4; `contracts/interfaces/IVPM.sol`)."""

from __future__ import annotations

from functools import cached_property

from perun import checks, encoding
from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.instances import InstanceReader
from perun.bindings.logs import Event, Table, kind
from perun.bindings.nanocontract import Nanocontract
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike, SignatureLike, signature_bytes
from perun.encoding import VPMDomain
from perun.types import (
    Address,
    InstanceId,
    Machine,
    MachineId,
    MachineRecord,
    Nano,
    Record,
    Signature,
    UnixTime,
    Wei,
)

MACHINE = "(address,address,uint112,uint112,uint40,uint32,bytes32)"
SUBMIT_STATEMENTS = f"submitStatements({MACHINE},uint112,bytes,uint112,bytes)"
MACHINE_ID = f"machineId({MACHINE})"
TOTALS = "totals(bytes32)"

_NOTHING = Wei(0)


class Submitted(Event, frozen=True, gc=False):
    """A total of a machine has risen; both after it, and the last second at which they may."""

    id: MachineId
    paid_by_alice: Wei
    paid_by_bob: Wei
    deadline: UnixTime


_LOGS: Table[Submitted] = Table(
    kind("Submitted", ("bytes32",), ("uint112", "uint112", "uint40"), Submitted)
)


class Totals(Record, frozen=True, gc=False):
    """What is recorded of a machine; all zero if nobody has submitted (protocol, section 4)."""

    paid_by_alice: Wei
    paid_by_bob: Wei
    deadline: UnixTime
    """Last second at which they may rise."""


def submit_statements(
    contract: Address,
    machine: Machine,
    paid_by_alice: Wei,
    signature_alice: Signature,
    paid_by_bob: Wei,
    signature_bob: Signature,
) -> Call:
    """Raises the recorded totals; a side with nothing to show has total 0 and no signature.

    Raises:
        NotAnAmount, AmountOutOfRange: a total is no amount.
    """
    checks.amount("paid_by_alice", paid_by_alice)
    checks.amount("paid_by_bob", paid_by_bob)
    arguments = (machine, paid_by_alice, signature_alice, paid_by_bob, signature_bob)
    return Call(contract, abi.encode_call(SUBMIT_STATEMENTS, *arguments))


def machine_id(contract: Address, machine: Machine) -> Query[MachineId]:
    """Asks for a machine's id; `perun.machine_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(MACHINE_ID, machine),
        lambda data: MachineId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


def totals(contract: Address, id: MachineId) -> Query[Totals]:
    """Asks what is recorded of a machine."""
    return Query(
        contract,
        abi.encode_call(TOTALS, id),
        lambda data: Totals(*abi.decode(("uint112", "uint112", "uint40"), data)),
    )


class MachineReader(InstanceReader[MachineRecord, Totals]):
    """Storage says all of a machine."""

    table = _LOGS
    direct = SUBMIT_STATEMENTS

    def announced(self, event: Event) -> MachineRecord:
        """See `InstanceReader`."""
        assert isinstance(event, Submitted)
        return MachineRecord(event.paid_by_alice, event.paid_by_bob, event.deadline)

    def ask(self, contract: Address, id: InstanceId) -> Query[Totals]:
        """See `InstanceReader`."""
        return totals(contract, MachineId(id))

    def differs(self, on: MachineRecord | None, stored: Totals) -> str:
        """See `InstanceReader`."""
        return "" if on == _record(stored) else "totals"

    def worse(self, on: MachineRecord | None, stored: Totals) -> MachineRecord | None:
        """See `InstanceReader`."""
        found = _record(stored)
        if on is None or found is None:
            return on or found
        return MachineRecord(
            max(on.paid_by_alice, found.paid_by_alice),
            max(on.paid_by_bob, found.paid_by_bob),
            found.deadline,
        )

    def dangerous(self, stored: Totals) -> bool:
        """See `InstanceReader`."""
        return _record(stored) is not None


def _record(stored: Totals) -> MachineRecord | None:
    if not stored.deadline:
        return None
    return MachineRecord(stored.paid_by_alice, stored.paid_by_bob, stored.deadline)


class VPM(Nanocontract):
    """The contract that decides payment machines: `Machine`, `Statement`, `Ready`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`. A call that raises no total changes nothing.
    """

    table = _LOGS
    reader = MachineReader()

    @cached_property
    def domain(self) -> VPMDomain:
        """What statements are signed in."""
        return encoding.vpm_domain(self.chain_id, self.address)

    def nano(self, machine: Machine, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the machine: its locks, and its final time as expiry.

        Args:
            swapped: whether the machine's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        id = encoding.machine_id(self.domain, machine)
        final_time = machine.validity + machine.challenge
        return self._listed(id, (machine.alice_lock, machine.bob_lock), final_time, swapped)

    def submit_statements(
        self,
        machine: Machine,
        paid_by_alice: Wei = _NOTHING,
        signature_alice: SignatureLike = b"",
        paid_by_bob: Wei = _NOTHING,
        signature_bob: SignatureLike = b"",
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Raises the recorded totals; whoever calls. Announces `Submitted` if one has risen."""
        call = submit_statements(
            self.address,
            machine,
            paid_by_alice,
            signature_bytes(signature_alice),
            paid_by_bob,
            signature_bytes(signature_bob),
        )
        return self._send(call, sender, gas, fees)

    def machine_id(self, machine: Machine) -> MachineId:
        """The contract's own answer; `perun.machine_id(vpm.domain, machine)` needs no node."""
        return self._ask(machine_id(self.address, machine))

    def totals(self, id: MachineId) -> Totals:
        """What is recorded of a machine; all zero if nobody has submitted."""
        return self._ask(totals(self.address, id))
