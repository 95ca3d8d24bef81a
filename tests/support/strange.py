"""Payees and tokens that misbehave, by name, so that a test can try each of them."""

from __future__ import annotations

from tests.support.contracts import Deployed
from tests.support.stage import Stage

REFUSING_PAYEES = ("RefusingPayee", "GasBurningPayee", "BombPayee")
"""Contracts that no payout reaches."""

BROKEN_TOKENS = {
    "FalseToken": "setBroken",
    "GasBurningToken": "setBurning",
    "BombToken": "setBooming",
}
"""Tokens that work until this function is called with `True`; then every transfer fails."""


def break_token(token: Deployed, works: bool = False) -> None:
    """From now on every transfer fails, or works again."""
    stage: Stage = token.stage
    token.send(stage.carol, BROKEN_TOKENS[token.interface.name], not works)
