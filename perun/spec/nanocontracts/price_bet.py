"""`PriceBet`: a reporter signs a price, and two locks are shared out by it (protocol, section 4).

The first price, by `validity`, gives another one `challenge` seconds: if something else would move
by that, the bet is void. Nobody shows any: never done, and worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eth_abi.abi import decode

from perun.encoding import PRICE_DOMAIN, PriceBetDomain, bet_id, price_digest
from perun.spec import consent
from perun.spec.nanocontract import MAX_TIME, Nanocontract, address_in
from perun.spec.reverts import (
    AmountTooLarge,
    FinalTimeTooFar,
    ScaleIsZero,
    TooEarly,
    TooLate,
)
from perun.types import MAX_AMOUNT, Bet, BetId, Price, Signature, Wei

TERMS: Final = (
    "(address,bytes32,uint40,int112,int112,uint112,uint112,uint112,uint40,uint32,bytes32)"
)


@dataclass(frozen=True, slots=True)
class Priced:
    """What is stored of a bet."""

    void: bool
    shift: int
    deadline: int
    """Last second for another price."""


@dataclass(slots=True)
class PriceBet(Nanocontract):
    domain_type: ClassVar = PriceBetDomain

    def submit_price(self, bet: Bet, price: Wei, signature: Signature) -> None:
        """Show what the reporter has signed; whoever calls."""
        identity = bet_id(self.domain, bet)
        old: Priced | None = self.records.get(identity)
        if bet.scale == 0:
            raise ScaleIsZero
        shift = moved(bet, price)
        if old is not None and (old.void or old.shift == shift):
            return
        deadline = self._deadline(bet, old)
        digest = price_digest(PRICE_DOMAIN, Price(bet.feed, bet.time, price))
        consent.signed(bet.oracle, digest, signature)
        decided = Priced(False, shift, deadline) if old is None else Priced(True, 0, deadline)
        self.records[identity] = decided
        self.emit("Priced", identity, decided.void, decided.shift, deadline)

    def outcome(self, identity: bytes) -> tuple[bool, int]:
        """(done, shift): by the only price that counts, or 0 by two."""
        record: Priced | None = self.records.get(identity)
        if record is None or self.host.now <= record.deadline:
            return False, 0
        return True, record.shift

    def decoded(self, evidence: bytes) -> tuple[Any, ...]:
        """Reads the arguments of `submitPrice`."""
        (oracle, *others), *shown = decode([TERMS, "int112", "bytes"], evidence)
        return Bet(address_in(oracle), *others), *shown

    def take(self, evidence: bytes) -> None:
        self.submit_price(*self.read(evidence))

    def about(self, evidence: bytes) -> tuple[BetId, int]:
        bet = self.read(evidence)[0]
        return bet_id(self.domain, bet), bet.validity

    def _deadline(self, bet: Bet, old: Priced | None) -> int:
        """Until when another price counts; terms that do not fit are never done."""
        for lock in (bet.alice_lock, bet.bob_lock):
            if lock > MAX_AMOUNT:
                raise AmountTooLarge(lock)
        if bet.validity + bet.challenge > MAX_TIME:
            raise FinalTimeTooFar(bet.validity + bet.challenge)
        if self.host.now <= bet.time:
            raise TooEarly(bet.time, self.host.now)
        limit = bet.validity if old is None else old.deadline
        if self.host.now > limit:
            raise TooLate(limit, self.host.now)
        return self.host.now + bet.challenge if old is None else limit


def moved(bet: Bet, price: int) -> int:
    """What moves at a price: rounded towards zero, clamped to the locks."""
    product = (price - bet.strike) * bet.slope
    whole = abs(product) // bet.scale
    return max(-bet.bob_lock, min(bet.alice_lock, whole if product > 0 else -whole))
