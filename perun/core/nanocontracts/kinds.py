"""The kinds that this program knows: one line each."""

from __future__ import annotations

from typing import Any, Final

from perun.core.nanocontracts.coin_flip import COIN_FLIP
from perun.core.nanocontracts.escrow import ESCROW
from perun.core.nanocontracts.gate import GATE
from perun.core.nanocontracts.hash_chain import HASH_CHAIN
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.machine import MACHINE
from perun.core.nanocontracts.price_bet import PRICE_BET
from perun.core.nanocontracts.rock_paper_scissors import ROCK_PAPER_SCISSORS
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.types import Terms

__all__ = ["KINDS", "kind_of"]

# Any: what a kind takes is what it is found by.
_ALL: Final[tuple[Kind[Any, Any], ...]] = (
    MACHINE,
    HASH_LOCK,
    COIN_FLIP,
    ROCK_PAPER_SCISSORS,
    TURN_GAME,
    ESCROW,
    HASH_CHAIN,
    PRICE_BET,
    GATE,
)

KINDS: Final[dict[type, Kind[Any, Any]]] = {kind.terms: kind for kind in _ALL}
"""By the type of their parameters."""


def kind_of(terms: Terms) -> Kind[Any, Any]:
    """What knows an instance of these parameters."""
    return KINDS[type(terms)]
