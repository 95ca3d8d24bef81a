"""What it costs to be paid by the chain, and whether a channel is worth that.

Gas figures are those of `benchmarks/gas/gas.json`, rounded up; tokens cost a little more. Prices
move: a channel that pays today may not tomorrow, so the guard asks for room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from perun.chain.endpoint import Sending
from perun.chain.fees import FeePolicy, first_fees
from perun.errors import Misuse
from perun.types import Wei

__all__ = [
    "CLAIM_GAS",
    "SUBMIT_GAS",
    "NotWorthIt",
    "check_worth",
    "gas_price",
    "leaving_gas",
    "register_gas",
    "settle_gas",
]

CLAIM_GAS: Final = 46_000
SUBMIT_GAS: Final = 60_000

_REGISTER: Final = 63_000
_LISTED: Final = 4_000
_EVIDENCE: Final = 41_000
_SETTLE: Final = 53_000
_RESOLVED: Final = 6_000


@dataclass(eq=False)
class NotWorthIt(Misuse):
    """Being paid out by the chain, alone, would cost more than the channel holds (wei)."""

    holds: int
    cost: int

    template: ClassVar[str] = "the channel would hold {holds} wei, and a dispute cost {cost} wei"
    hint: ClassVar[str] = "put more in, use a cheaper chain, or say that you accept it"


def register_gas(nanos: int, evidence: int = 0) -> int:
    """Gas of a `register` of a state with so many nanos, so many of them with evidence."""
    return _REGISTER + nanos * _LISTED + evidence * _EVIDENCE


def settle_gas(nanos: int) -> int:
    """Gas of a `settle` that resolves so many nanos."""
    return _SETTLE + nanos * _RESOLVED


def leaving_gas(nanos: int, evidence: int) -> int:
    """Gas of leaving a channel alone: `register`, and `settle` after the deadline."""
    return register_gas(nanos, evidence) + settle_gas(nanos)


def gas_price(node: Sending, base_fee: Wei, policy: FeePolicy | None = None) -> Wei:
    """What gas costs now, in wei: twice the base fee and a tip, as the submitter would bid."""
    return first_fees(policy or FeePolicy(), base_fee, node.tip()).most


def check_worth(holds: Wei, price: Wei, *, accept: bool = False) -> None:
    """Refuses a channel whose dispute, with one machine in it, would cost more than it holds.

    Args:
        holds: what both sides put in, in wei.
        price: of gas, in wei.
        accept: the user has been told and wants it all the same.

    Raises:
        NotWorthIt: it would, and nobody accepted it.
    """
    cost = leaving_gas(nanos=1, evidence=1) * price
    if holds < cost and not accept:
        raise NotWorthIt(holds, cost)
