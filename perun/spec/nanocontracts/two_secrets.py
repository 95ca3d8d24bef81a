"""Two secrets decide who pays: what `CoinFlip` and `RockPaperScissors` have in common (section 4).

The first secret, by `validity`, gives the other side `window` seconds. Both known: done at once.
The other stays silent: it pays its whole lock. Nobody speaks: never done, and worth nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from eth_abi.abi import decode

from perun.encoding import flip_commit
from perun.spec.nanocontract import MAX_TIME, Nanocontract
from perun.spec.reverts import AmountTooLarge, FinalTimeTooFar, TooLate, WrongSecret
from perun.types import MAX_AMOUNT, InstanceId

__all__ = ["Decided", "OneRevealed", "TwoSecrets"]


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


# Any: terms are of a type for each kind.
@dataclass(slots=True)
class TwoSecrets(Nanocontract):
    terms_type: ClassVar[Callable[..., Any]]
    terms_abi: ClassVar[str]

    @abstractmethod
    def id_of(self, terms: Any) -> Any:
        """The hash of all parameters."""

    @abstractmethod
    def shift_of(self, terms: Any, alice: bytes, bob: bytes) -> int:
        """What both secrets decide."""

    def reveal(self, terms: Any, bob: bool, secret: bytes) -> None:
        """Bring the secret of one side; whoever calls. Bringing it again changes nothing."""
        identity = self.id_of(terms)
        old: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(old, Decided) or (old is not None and old.bob == bob):
            return
        limit = terms.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        expected = terms.bob_commit if bob else terms.alice_commit
        if flip_commit(bob, secret) != expected:
            raise WrongSecret(expected, flip_commit(bob, secret))
        if old is None:
            self._first(identity, terms, bob, secret)
        else:
            alice, other = (old.secret, secret) if bob else (secret, old.secret)
            self.records[identity] = Decided(self.shift_of(terms, alice, other))
            self.emit("Revealed", identity, bob, secret, old.deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): by both secrets, or against who stayed silent."""
        record: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(record, Decided):
            return True, record.shift
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, record.forfeit if record.bob else -record.forfeit

    def decoded(self, evidence: bytes) -> tuple[Any, bool, bytes]:
        """Reads `abi.encode(terms, bob, secret)`."""
        terms, bob, secret = decode([self.terms_abi, "bool", "bytes32"], evidence)
        return self.terms_type(*terms), bob, secret

    def take(self, evidence: bytes) -> None:
        self.reveal(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[InstanceId, int]:
        terms = self.read(evidence)[0]
        return self.id_of(terms), terms.validity

    def _first(self, identity: InstanceId, terms: Any, bob: bool, secret: bytes) -> None:
        for lock in (terms.alice_lock, terms.bob_lock):
            if lock > MAX_AMOUNT:
                raise AmountTooLarge(lock)
        if terms.validity + terms.window > MAX_TIME:
            raise FinalTimeTooFar(terms.validity + terms.window)
        deadline = self.host.now + terms.window
        forfeit = terms.alice_lock if bob else terms.bob_lock
        self.records[identity] = OneRevealed(bob, secret, deadline, forfeit)
        self.emit("Revealed", identity, bob, secret, deadline)
