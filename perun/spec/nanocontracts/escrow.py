"""`Escrow`: an arbiter, both parties or a clock share out two locks (protocol, section 4).

The first evidence, by `validity`, gives better evidence `challenge` seconds: an award is better
than the late rule, two awards that differ are void and better than one, an agreement is the best.
Nobody brings anything: never done, and worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Final

from eth_abi.abi import decode

from perun.encoding import EscrowDomain, award_digest, deal_id
from perun.spec import consent
from perun.spec.nanocontract import MAX_TIME, Nanocontract, address_in
from perun.spec.reverts import (
    AmountTooLarge,
    FinalTimeTooFar,
    MalformedEvidence,
    ShiftTooLarge,
    TooEarly,
    TooLate,
)
from perun.types import (
    MAX_AMOUNT,
    Award,
    Deal,
    DealId,
    Signature,
    Wei,
)

TERMS: Final = "(address,address,address,uint112,uint112,int112,uint40,uint40,uint32,bytes32)"


class Rank(IntEnum):
    """Evidence of a higher rank replaces that of a lower one."""

    LATE = 0
    AWARD = 1
    CONFLICT = 2
    AGREED = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """What is stored of a deal."""

    rank: Rank
    shift: int
    deadline: int
    """Last second for better evidence."""


@dataclass(slots=True)
class Escrow(Nanocontract):
    domain_type: ClassVar = EscrowDomain

    def award(self, deal: Deal, shift: Wei, signature: Signature) -> None:
        """Bring the arbiter's word; whoever calls. A second one that differs makes both void."""
        identity, old = self._find(deal)
        if old is not None and (old.rank > Rank.AWARD or (old.rank, old.shift) == (1, shift)):
            return
        deadline = self._deadline(deal, old)
        _check_shift(deal, shift)
        consent.signed(deal.arbiter, award_digest(self.domain, Award(identity, shift)), signature)
        if old is not None and old.rank is Rank.AWARD:
            self._decide(identity, Decision(Rank.CONFLICT, 0, deadline))
        else:
            self._decide(identity, Decision(Rank.AWARD, shift, deadline))

    def agree(
        self, deal: Deal, shift: Wei, signature_alice: Signature, signature_bob: Signature
    ) -> None:
        """Bring the word of both parties; whoever calls. The first stays."""
        identity, old = self._find(deal)
        if old is not None and old.rank is Rank.AGREED:
            return
        deadline = self._deadline(deal, old)
        _check_shift(deal, shift)
        digest = award_digest(self.domain, Award(identity, shift))
        consent.signed(deal.alice, digest, signature_alice)
        consent.signed(deal.bob, digest, signature_bob)
        self._decide(identity, Decision(Rank.AGREED, shift, deadline))

    def late(self, deal: Deal) -> None:
        """Say that `due` is over; whoever calls. Any evidence before it stays."""
        identity, old = self._find(deal)
        if old is not None or deal.late_shift == 0:
            return
        deadline = self._deadline(deal, old)
        if self.host.now <= deal.due:
            raise TooEarly(deal.due, self.host.now)
        _check_shift(deal, deal.late_shift)
        self._decide(identity, Decision(Rank.LATE, deal.late_shift, deadline))

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): by the best evidence that came in time."""
        record: Decision | None = self.records.get(identity)
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, record.shift

    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """Reads a word, the form, and the arguments of `award` (0), `agree` (1) or `late` (2)."""
        form, rest = int.from_bytes(evidence[:32], "big"), evidence[32:]
        if form > 2:
            raise MalformedEvidence(len(evidence))
        more = (["int112", "bytes"], ["int112", "bytes", "bytes"], [])[form]
        words, *shown = decode([TERMS, *more], rest)
        alice, bob, arbiter, *others = words
        return Deal(address_in(alice), address_in(bob), address_in(arbiter), *others), *shown

    def take(self, evidence: bytes) -> None:
        deal, *shown = self.read(evidence)
        if not shown:
            self.late(deal)
        elif len(shown) == 2:
            self.award(deal, *shown)
        else:
            self.agree(deal, *shown)

    def about(self, evidence: bytes) -> tuple[DealId, int]:
        deal = self.read(evidence)[0]
        return deal_id(self.domain, deal), deal.validity

    def _find(self, deal: Deal) -> tuple[DealId, Decision | None]:
        identity = deal_id(self.domain, deal)
        return identity, self.records.get(identity)

    def _deadline(self, deal: Deal, old: Decision | None) -> int:
        """Until when better evidence counts; terms that do not fit are never done."""
        for lock in (deal.alice_lock, deal.bob_lock):
            if lock > MAX_AMOUNT:
                raise AmountTooLarge(lock)
        if deal.validity + deal.challenge > MAX_TIME:
            raise FinalTimeTooFar(deal.validity + deal.challenge)
        limit = deal.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        return self.host.now + deal.challenge if old is None else limit

    def _decide(self, identity: DealId, decision: Decision) -> None:
        self.records[identity] = decision
        self.emit("Decided", identity, decision.rank, decision.shift, decision.deadline)


def _check_shift(deal: Deal, shift: int) -> None:
    if not -deal.bob_lock <= shift <= deal.alice_lock:
        raise ShiftTooLarge(shift)
