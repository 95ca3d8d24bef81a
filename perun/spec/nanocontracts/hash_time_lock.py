"""`HashTimeLock`: a payment that happens if a secret is revealed in time (protocol, section 4).

Done at once when revealed, so it may be settled early; never revealed, never done, and worth
nothing after `expiry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from eth_abi.abi import decode

from perun.crypto import keccak
from perun.encoding import HashTimeLockDomain, lock_id
from perun.spec.nanocontract import Nanocontract
from perun.spec.reverts import AmountTooLarge, TooLate, WrongPreimage
from perun.types import MAX_AMOUNT, Lock, LockId

TERMS: Final = "(uint112,bool,bytes32,uint40,bytes32)"


@dataclass(slots=True)
class HashTimeLock(Nanocontract):
    """What it stores of an instance is the shift."""

    domain_type: ClassVar = HashTimeLockDomain

    def reveal(self, lock: Lock, preimage: bytes) -> None:
        """Decide the instance; whoever calls. Once decided, nothing is looked at any more."""
        identity = lock_id(self.domain, lock)
        if identity in self.records:
            return
        if lock.amount > MAX_AMOUNT:
            raise AmountTooLarge(lock.amount)
        if self.host.now > lock.deadline:
            raise TooLate(lock.deadline, self.host.now)
        if keccak(preimage) != lock.hash:
            raise WrongPreimage(lock.hash, keccak(preimage))
        self.records[identity] = -lock.amount if lock.bob_pays else lock.amount
        self.emit("Revealed", identity, preimage)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): the amount moves from the payer, once and for all."""
        shift: int | None = self.records.get(identity)
        return (shift is not None, shift or 0)

    def decoded(self, evidence: bytes) -> tuple[Lock, bytes]:
        """Reads `abi.encode(lock, preimage)`."""
        terms, preimage = decode([TERMS, "bytes32"], evidence)
        return Lock(*terms), preimage

    def take(self, evidence: bytes) -> None:
        self.reveal(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[LockId, int]:
        lock = self.read(evidence)[0]
        return lock_id(self.domain, lock), lock.deadline
