"""HashTimeLock: a payment that happens if a secret is revealed in time (protocol, section 4)."""

from __future__ import annotations

from functools import cached_property

from perun import checks, encoding
from perun.bindings import abi
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.instances import InstanceReader
from perun.bindings.logs import Event, Table, kind
from perun.bindings.nanocontract import Nanocontract, Outcome, outcome
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike
from perun.encoding import HashTimeLockDomain
from perun.types import Address, InstanceId, Lock, LockId, LockRecord, Nano, Preimage, Wei

LOCK = "(uint112,bool,bytes32,uint40,bytes32)"
REVEAL = f"reveal({LOCK},bytes32)"
LOCK_ID = f"lockId({LOCK})"


class Revealed(Event, frozen=True, gc=False):
    """The preimage of a hash time lock is public from now on."""

    id: LockId
    preimage: Preimage


_LOGS: Table[Revealed] = Table(kind("Revealed", ("bytes32",), ("bytes32",), Revealed))


def reveal(contract: Address, lock: Lock, preimage: Preimage) -> Call:
    """Decides the instance; revealing again changes nothing.

    Raises:
        WrongType, WrongLength: the preimage is not 32 bytes.
    """
    checks.length("preimage", preimage, 32)
    return Call(contract, abi.encode_call(REVEAL, lock, preimage))


def lock_id(contract: Address, lock: Lock) -> Query[LockId]:
    """Asks for a lock's id; `perun.lock_id` computes the same."""
    return Query(
        contract,
        abi.encode_call(LOCK_ID, lock),
        lambda data: LockId(InstanceId(abi.decode(("bytes32",), data)[0])),
    )


class LockReader(InstanceReader[LockRecord, Outcome]):
    """Storage says whether a lock was revealed, but not what."""

    table = _LOGS
    direct = REVEAL

    def announced(self, event: Event) -> LockRecord:
        """See `InstanceReader`."""
        assert isinstance(event, Revealed)
        return LockRecord(event.preimage)

    def ask(self, contract: Address, id: InstanceId) -> Query[Outcome]:
        """See `InstanceReader`."""
        return outcome(contract, id)

    def differs(self, on: LockRecord | None, stored: Outcome) -> str:
        """See `InstanceReader`."""
        return "" if stored.done == (on is not None) else "whether it was revealed"

    def worse(self, on: LockRecord | None, stored: Outcome) -> LockRecord | None:  # noqa: ARG002
        """See `InstanceReader`. Storage has no secret to be ready for."""
        return on

    def dangerous(self, stored: Outcome) -> bool:
        """See `InstanceReader`."""
        return stored.done


class HashTimeLock(Nanocontract):
    """The contract that decides hash time locks: `Lock`, `Preimage`.

    Source: protocol, section 4. Amounts in the asset's smallest unit, times in Unix seconds;
    sending and errors as in `Front`.
    """

    table = _LOGS
    reader = LockReader()

    @cached_property
    def domain(self) -> HashTimeLockDomain:
        """What ids are made in."""
        return encoding.hash_time_lock_domain(self.chain_id, self.address)

    def nano(self, lock: Lock, *, swapped: bool = False) -> Nano:
        """How a channel's state lists the lock: the payer locks the amount until the deadline.

        Args:
            swapped: whether the lock's Alice is the channel's Bob.

        Source: protocol, section 4, *what an honest party locks*.
        """
        locks = (Wei(0), lock.amount) if lock.bob_pays else (lock.amount, Wei(0))
        return self._listed(encoding.lock_id(self.domain, lock), locks, lock.deadline, swapped)

    def reveal(
        self,
        lock: Lock,
        preimage: Preimage,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Decides the instance; whoever calls. Announces `Revealed` the first time."""
        return self._send(reveal(self.address, lock, preimage), sender, gas, fees)

    def lock_id(self, lock: Lock) -> LockId:
        """The contract's own answer; `perun.lock_id(locks.domain, lock)` needs no node."""
        return self._ask(lock_id(self.address, lock))
