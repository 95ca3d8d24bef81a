"""The contracts of this package, in the order in which they are deployed: one line each."""

from __future__ import annotations

from typing import Final

from perun.bindings.coin_flip import CoinFlip
from perun.bindings.escrow import Escrow
from perun.bindings.front import Front
from perun.bindings.gate import Gate
from perun.bindings.hash_chain import HashChain
from perun.bindings.hash_time_lock import HashTimeLock
from perun.bindings.lib_signatures import LibSignatures
from perun.bindings.ms_contract import MSContract
from perun.bindings.price_bet import PriceBet
from perun.bindings.rock_paper_scissors import RockPaperScissors
from perun.bindings.rules import RULES
from perun.bindings.turn_game import TurnGame
from perun.bindings.vpm import VPM

__all__ = ["NODE_SUITE", "SUITE"]

_KNOWN: Final[tuple[type[Front], ...]] = (
    MSContract,
    VPM,
    HashTimeLock,
    CoinFlip,
    RockPaperScissors,
    TurnGame,
    Escrow,
    HashChain,
    PriceBet,
)

NODE_SUITE: Final[dict[str, type[Front]]] = {
    **{kind.__name__: kind for kind in _KNOWN},
    **RULES,
    Gate.__name__: Gate,
}
"""Those that nodes know, and rules of games, by name."""

SUITE: Final[dict[str, type[Front]]] = {LibSignatures.__name__: LibSignatures} | NODE_SUITE
"""All. Of the first no node knows: other contracts may ask it."""
