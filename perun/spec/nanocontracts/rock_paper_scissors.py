"""`RockPaperScissors`: two hands decide who pays (protocol, section 4).

The first hand, by `validity`, gives the other side `window` seconds. Both known: done at once. The
other stays silent: it pays its whole lock. Nobody speaks: never done, and worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from eth_abi.abi import decode

from perun.encoding import RockPaperScissorsDomain, flip_commit, hands_id
from perun.spec.nanocontract import Nanocontract
from perun.spec.nanocontracts.coin_flip import MAX_TIME, Decided, OneRevealed
from perun.spec.reverts import AmountTooLarge, FinalTimeTooFar, TooLate, WrongSecret
from perun.types import MAX_AMOUNT, Hands, HandsId

TERMS: Final = "(uint112,uint112,bytes32,bytes32,uint40,uint32,bytes32)"
ROCK, PAPER, SCISSORS = range(3)
BEATS: Final = {(ROCK, SCISSORS), (SCISSORS, PAPER), (PAPER, ROCK)}


@dataclass(slots=True)
class RockPaperScissors(Nanocontract):
    domain_type: ClassVar = RockPaperScissorsDomain

    def reveal(self, hands: Hands, bob: bool, secret: bytes) -> None:
        """Bring the hand of one side; whoever calls. Bringing it again changes nothing."""
        identity = hands_id(self.domain, hands)
        old: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(old, Decided) or (old is not None and old.bob == bob):
            return
        limit = hands.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        expected = hands.bob_commit if bob else hands.alice_commit
        if flip_commit(bob, secret) != expected:
            raise WrongSecret(expected, flip_commit(bob, secret))
        if old is None:
            self._first(identity, hands, bob, secret)
        else:
            alice, other = (old.secret, secret) if bob else (secret, old.secret)
            self.records[identity] = Decided(shift_of(hands, alice, other))
            self.emit("Revealed", identity, bob, secret, old.deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): by both hands, or against who stayed silent."""
        record: OneRevealed | Decided | None = self.records.get(identity)
        if isinstance(record, Decided):
            return True, record.shift
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, record.forfeit if record.bob else -record.forfeit

    def decoded(self, evidence: bytes) -> tuple[Hands, bool, bytes]:
        """Reads `abi.encode(hands, bob, secret)`."""
        terms, bob, secret = decode([TERMS, "bool", "bytes32"], evidence)
        return Hands(*terms), bob, secret

    def take(self, evidence: bytes) -> None:
        self.reveal(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[HandsId, int]:
        hands = self.read(evidence)[0]
        return hands_id(self.domain, hands), hands.validity

    def _first(self, identity: HandsId, hands: Hands, bob: bool, secret: bytes) -> None:
        for lock in (hands.alice_lock, hands.bob_lock):
            if lock > MAX_AMOUNT:
                raise AmountTooLarge(lock)
        if hands.validity + hands.window > MAX_TIME:
            raise FinalTimeTooFar(hands.validity + hands.window)
        deadline = self.host.now + hands.window
        forfeit = hands.alice_lock if bob else hands.bob_lock
        self.records[identity] = OneRevealed(bob, secret, deadline, forfeit)
        self.emit("Revealed", identity, bob, secret, deadline)


def shift_of(hands: Hands, alice: bytes, bob: bytes) -> int:
    """The loser's lock; equal hands move nothing. A hand is the secret's last byte modulo 3."""
    shown = alice[31] % 3, bob[31] % 3
    if shown[0] == shown[1]:
        return 0
    return -hands.bob_lock if shown in BEATS else hands.alice_lock
