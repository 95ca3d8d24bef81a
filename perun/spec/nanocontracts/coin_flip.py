"""`CoinFlip`: two secrets decide who pays (protocol, section 4).

The first secret, by `validity`, gives the other side `window` seconds. Both known: done at once.
The other stays silent: it pays its whole lock. Nobody speaks: never done, and worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from eth_abi.abi import decode

from perun.encoding import CoinFlipDomain, flip_commit, flip_id
from perun.spec.nanocontract import Nanocontract
from perun.spec.reverts import AmountTooLarge, FinalTimeTooFar, TooLate, WrongSecret
from perun.types import MAX_AMOUNT, Flip, FlipId

MAX_TIME = 2**34 - 1
TERMS: Final = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"


@dataclass(frozen=True, slots=True)
class OneRevealed:
    """One side has spoken; `forfeit` is what the other pays if it does not follow."""

    bob: bool
    secret: bytes
    deadline: int
    forfeit: int


@dataclass(frozen=True, slots=True)
class Decided:
    shift: int


@dataclass(slots=True)
class CoinFlip(Nanocontract):
    domain_type: ClassVar = CoinFlipDomain

    def reveal(self, flip: Flip, bob: bool, secret: bytes) -> None:
        """Bring the secret of one side; whoever calls. Bringing it again changes nothing."""
        identity = flip_id(self.domain, flip)
        old: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(old, Decided) or (old is not None and old.bob == bob):
            return
        limit = flip.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        expected = flip.bob_commit if bob else flip.alice_commit
        if flip_commit(bob, secret) != expected:
            raise WrongSecret(expected, flip_commit(bob, secret))
        if old is None:
            self._first(identity, flip, bob, secret)
        else:
            self.records[identity] = Decided(shift_of(flip, old.secret, secret))
            self.emit("Revealed", identity, bob, secret, old.deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): by the sum of both secrets, or against who stayed silent."""
        record: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(record, Decided):
            return True, record.shift
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, record.forfeit if record.bob else -record.forfeit

    def decoded(self, evidence: bytes) -> tuple[Flip, bool, bytes]:
        """Reads `abi.encode(flip, bob, secret)`."""
        terms, bob, secret = decode([TERMS, "bool", "bytes32"], evidence)
        return Flip(*terms), bob, secret

    def take(self, evidence: bytes) -> None:
        self.reveal(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[FlipId, int]:
        flip = self.read(evidence)[0]
        return flip_id(self.domain, flip), flip.validity

    def _first(self, identity: FlipId, flip: Flip, bob: bool, secret: bytes) -> None:
        for lock in (flip.alice_lock, flip.bob_lock):
            if lock > MAX_AMOUNT:
                raise AmountTooLarge(lock)
        if flip.validity + flip.window > MAX_TIME:
            raise FinalTimeTooFar(flip.validity + flip.window)
        deadline = self.host.now + flip.window
        forfeit = flip.alice_lock if bob else flip.bob_lock
        self.records[identity] = OneRevealed(bob, secret, deadline, forfeit)
        self.emit("Revealed", identity, bob, secret, deadline)


def shift_of(flip: Flip, one: bytes, other: bytes) -> int:
    """Alice loses if the sum of the secrets' last 16 bits, modulo 2**16, is below the odds."""
    total = int.from_bytes(one[-2:], "big") + int.from_bytes(other[-2:], "big")
    return flip.alice_lock if total % 2**16 < flip.odds else -flip.bob_lock
