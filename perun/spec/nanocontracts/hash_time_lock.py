"""`HashTimeLock`: a payment that happens if a secret is revealed in time (protocol, section 4).

Done at once when revealed, so it may be settled early; never revealed, never done, and worth
nothing after `expiry`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perun.crypto import keccak
from perun.encoding import HashTimeLockDomain, lock_id
from perun.spec.host import Host
from perun.spec.reverts import AmountTooLarge, TooLate, WrongPreimage
from perun.types import MAX_AMOUNT, Lock, LockId


@dataclass(slots=True)
class HashTimeLock:
    host: Host
    domain: HashTimeLockDomain
    shifts: dict[LockId, int] = field(default_factory=dict)

    def reveal(self, lock: Lock, preimage: bytes) -> None:
        """Decide the instance; whoever calls. Once decided, nothing is looked at any more."""
        identity = lock_id(self.domain, lock)
        if identity in self.shifts:
            return
        if lock.amount > MAX_AMOUNT:
            raise AmountTooLarge(lock.amount)
        if self.host.now > lock.deadline:
            raise TooLate(lock.deadline, self.host.now)
        if keccak(preimage) != lock.hash:
            raise WrongPreimage(lock.hash, keccak(preimage))
        self.shifts[identity] = -lock.amount if lock.bob_pays else lock.amount
        self.host.emit("Revealed", identity, preimage)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): the amount moves from the payer, once and for all."""
        shift = self.shifts.get(LockId(identity))  # type: ignore[arg-type]  # any 32 bytes
        return (shift is not None, shift or 0)
