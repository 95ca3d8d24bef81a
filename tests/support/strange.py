"""Payees and tokens that misbehave, by name, so that a test can try each of them."""

from __future__ import annotations

from perun.testing.owners import Owner
from tests.support.contracts import Deployed
from tests.support.stage import Stage

REFUSING_PAYEES = ("RefusingPayee", "GasBurningPayee", "BombPayee")
"""Contracts that no payout reaches."""

BROKEN_TOKENS = {
    "FalseToken": "setBroken",
    "GasBurningToken": "setBurning",
    "BombToken": "setBooming",
    "InflatingToken": "setFrozen",
}
"""Tokens that work until this function is called with `True`; then every transfer fails."""


def break_token(token: Deployed, works: bool = False) -> None:
    """From now on every transfer fails, or works again."""
    stage: Stage = token.stage
    token.send(stage.carol, BROKEN_TOKENS[token.interface.name], not works)


def fill_credit(token: Deployed, owner: Owner, missing: int = 0) -> None:
    """An `InflatingToken` lies about one balance, once: its owner gets `2**256 - 1 - missing`."""
    stage: Stage = token.stage
    token.send(owner, "forge", stage.ms.address, missing)
    token.send(owner, "setInflating", True)
    stage.ms.send(owner, "fund", token.address, owner.account, 1)
    token.send(owner, "setInflating", False)
    token.send(owner, "forge", stage.ms.address, 0)
