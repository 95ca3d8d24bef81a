"""Gas kept for calls that may come to fail (protocol, section 3, Gas allowances; section 5, Gas).

`MSContract` calls payees, tokens and nanocontracts with a fixed allowance each. A failed call
counts only if it had its whole allowance, else the transaction reverts. An estimate made while
every call succeeds does not cover that, and whoever is called may choose to fail: so every `Call`
carries what it needs beyond the estimate if all of them do.
"""

from __future__ import annotations

from typing import Final

from perun.types import ETH, Asset

# Allowances of the contract, gas (contracts/libraries/GasAllowance.sol).
OUTCOME: Final = 120_000
ETH_PAYOUT: Final = 100_000
TOKEN_PAYOUT: Final = 300_000
SUBMIT: Final = 300_000

# What the contract wants to have had before a call that fails, beyond 64/63 of the allowance.
CALL_COST: Final = 40_000

# A new slot of credit and its event: what a payout that cannot be delivered becomes.
CREDIT: Final = 26_000

# The event of evidence that failed.
REPORT: Final = 3_000


def payouts(asset: Asset) -> int:
    """For both parties' payouts, gas."""
    allowance = ETH_PAYOUT if asset == ETH else TOKEN_PAYOUT
    return 2 * (allowance + CREDIT) + _at_last(allowance)


def outcomes(nanos: int, asset: Asset) -> int:
    """For what a `settle` asks so many nanocontracts, and the payouts after that, gas."""
    asked = nanos * OUTCOME + _at_last(OUTCOME) if nanos else 0
    return asked + payouts(asset)


def evidence(pieces: int) -> int:
    """For so many pieces of evidence, gas."""
    return pieces * (SUBMIT + REPORT) + _at_last(SUBMIT) if pieces else 0


# Rule gas-1.
def _at_last(allowance: int) -> int:
    """What must be left over when the last call is made."""
    return allowance // 63 + 1 + CALL_COST
