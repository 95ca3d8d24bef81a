"""How much gas it takes to be paid by the chain, and to put money in.

The figures are those of `benchmarks/gas/gas.json`, rounded up; tokens cost a little more. A test
compares them.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CLAIM_GAS",
    "CLOSE_GAS",
    "DEPOSIT_GAS",
    "OPEN_BOTH_GAS",
    "OPEN_GAS",
    "SUBMIT_GAS",
    "WITHDRAW_GAS",
    "leaving_gas",
    "register_gas",
    "settle_gas",
]

OPEN_GAS: Final = 73_000
OPEN_BOTH_GAS: Final = 84_000
DEPOSIT_GAS: Final = 68_000
CLOSE_GAS: Final = 65_000
WITHDRAW_GAS: Final = 67_000
CLAIM_GAS: Final = 46_000
SUBMIT_GAS: Final = 60_000

_REGISTER: Final = 63_000
_LISTED: Final = 4_000
_EVIDENCE: Final = 44_000
_SETTLE: Final = 53_000
_RESOLVED: Final = 6_000


def register_gas(nanos: int, evidence: int = 0) -> int:
    """Gas of a `register` of a state with so many nanos, so many of them with evidence."""
    return _REGISTER + nanos * _LISTED + evidence * _EVIDENCE


def settle_gas(nanos: int) -> int:
    """Gas of a `settle` that resolves so many nanos."""
    return _SETTLE + nanos * _RESOLVED


def leaving_gas(nanos: int, evidence: int) -> int:
    """Gas of leaving a channel alone: `register`, and `settle` after the deadline."""
    return register_gas(nanos, evidence) + settle_gas(nanos)
