"""The contracts that this program knows, in bytes: one line each."""

from __future__ import annotations

from typing import Final

from perun.encoding.coin_flip import COIN_FLIP
from perun.encoding.domains import Domain, MSContractDomain
from perun.encoding.escrow import ESCROW
from perun.encoding.gate import GATE
from perun.encoding.hash_chain import HASH_CHAIN
from perun.encoding.hash_lock import HASH_LOCK
from perun.encoding.machine import MACHINE, VPMDomain
from perun.encoding.price_bet import PRICE_BET, PRICES
from perun.encoding.rock_paper_scissors import ROCK_PAPER_SCISSORS
from perun.encoding.turn_game import TURN_GAME
from perun.encoding.typed_data import CHANNEL, TypedData

_ALL: Final = (
    *(CHANNEL, MACHINE, HASH_LOCK, COIN_FLIP, ROCK_PAPER_SCISSORS),
    *(TURN_GAME, ESCROW, HASH_CHAIN, PRICE_BET, GATE),
)

DOMAINS: Final[dict[str, type[Domain]]] = {one.domain.contract_name: one.domain for one in _ALL}
"""By the contracts' names, in the order in which they are named."""

NEEDED: Final = (MSContractDomain.contract_name, VPMDomain.contract_name)
"""Without these there is no channel. Of the others each node may know some."""

SIGNED: Final[dict[type, tuple[type[Domain], TypedData]]] = {
    typed.message: (one.domain, typed) for one in (*_ALL, PRICES) for typed in one.signed
}
"""By the type of a message: the domain in which it is signed, and how."""
