"""The arbiter of all deals and the reporter of all bets: nobody's friends, and not always of one
mind. Whatever they sign anybody may have."""

from __future__ import annotations

from perun.core.config import Deployment
from perun.core.signing import digest
from perun.crypto.signatures import sign
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.testing.parties import key_of
from perun.types import Award, Bet, Deal, DealId, InstanceId, Price, Signature, Wei
from tests.games.simulation import shares

__all__ = ["Outsiders"]


class Outsiders:
    """Remembers all that they have signed."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.arbiter, self.reporter = key_of("the arbiter"), key_of("the reporter")
        self.awards: dict[InstanceId, dict[int, Signature]] = {}
        """By deal, and what Alice pays Bob."""
        self.prices: dict[tuple[bytes, int], dict[int, Signature]] = {}
        """By feed and second, and price."""

    def award(self, id: InstanceId, shift: int) -> Signature:
        """The arbiter's word about a deal."""
        said = Award(DealId(id), Wei(shift))
        signature = sign(digest(self._deployment, said), self.arbiter)
        return self.awards.setdefault(id, {}).setdefault(shift, signature)

    def report(self, bet: Bet, price: int) -> Signature:
        """The reporter's word about a second."""
        said = Price(bet.feed, bet.time, Wei(price))
        signature = sign(price_digest(PRICE_DOMAIN, said), self.reporter)
        return self.prices.setdefault((bet.feed, bet.time), {}).setdefault(price, signature)

    def about(self, id: InstanceId, terms: Deal | Bet) -> dict[int, tuple[int, Signature]]:
        """All that was signed about one: by what moves, what was said and the signature."""
        if isinstance(terms, Deal):
            return {shift: (shift, by) for shift, by in self.awards.get(id, {}).items()}
        said = self.prices.get((terms.feed, terms.time), {})
        return {shares.moved(terms, price): (price, by) for price, by in said.items()}
