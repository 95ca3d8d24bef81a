"""The story's own count of the money, kept apart from the nodes, to compare with the chain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from perun.types import Record, Wei

__all__ = ["Tally", "Line", "Result"]


class Line(Record, frozen=True, gc=False):
    """One person's money, in wei."""

    name: str
    before: Wei
    """ETH in the account before the first deposit."""
    deposited: Wei
    """Into channels and credit."""
    paid: Wei
    received: Wei
    payments_sent: int
    payments_received: int
    fees_paid: Wei
    """To the hub."""
    fees_earned: Wei
    gas_used: int
    gas_cost: Wei
    after: Wei
    """ETH in the account at the end."""
    expected: Wei
    """What it must be: before, less paid, plus received, less fees and gas."""

    @property
    def missing(self) -> int:
        """Wei that should be there and are not; 0 if all is well."""
        return self.expected - self.after


class Result(Record, frozen=True, gc=False):
    """How it ended."""

    chain: str
    seed: int
    payments: int
    lines: tuple[Line, ...]
    left_in_contract: Wei
    """ETH that MSContract still holds: 0 if everybody is out."""
    hub_signatures_during_payments: int
    """How often the hub signed while others paid each other over it."""
    gas_used: int
    gas_cost: Wei
    on_chain_gas: int
    """What the same payments would have used as plain transfers (21,000 each)."""
    on_chain_cost: Wei
    """At the average price that was paid here, in wei."""

    @property
    def right(self) -> bool:
        """Whether not a single wei is missing."""
        return (
            not any(line.missing for line in self.lines)
            and self.left_in_contract == 0
            and self.hub_signatures_during_payments == 0
        )


@dataclass
class Tally:
    """Who meant to pay what to whom. Amounts in wei."""

    paid: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)
    sent_count: Counter[str] = field(default_factory=Counter)
    received_count: Counter[str] = field(default_factory=Counter)
    fees_paid: Counter[str] = field(default_factory=Counter)
    fees_earned: Counter[str] = field(default_factory=Counter)
    deposited: Counter[str] = field(default_factory=Counter)

    def pay(self, payer: str, payee: str, amount: Wei) -> None:
        """A payment."""
        self.paid[payer] += amount
        self.received[payee] += amount
        self.sent_count[payer] += 1
        self.received_count[payee] += 1

    def fee(self, payer: str, hub: str, amount: Wei) -> None:
        """A fee to the hub."""
        self.fees_paid[payer] += amount
        self.fees_earned[hub] += amount

    def line(self, name: str, before: Wei, after: Wei, gas_used: int, gas_cost: Wei) -> Line:
        """What the table says about somebody."""
        expected = (
            before
            - self.paid[name]
            + self.received[name]
            - self.fees_paid[name]
            + self.fees_earned[name]
            - gas_cost
        )
        return Line(
            name,
            before,
            Wei(self.deposited[name]),
            Wei(self.paid[name]),
            Wei(self.received[name]),
            self.sent_count[name],
            self.received_count[name],
            Wei(self.fees_paid[name]),
            Wei(self.fees_earned[name]),
            gas_used,
            gas_cost,
            after,
            Wei(expected),
        )
