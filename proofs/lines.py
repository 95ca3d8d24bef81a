"""Changed lines of the contracts: each must break a replayed trace, or a lemma about the bytecode.

They are taken from the catalogue of broken contracts (`mutants/catalogue.toml`), whose three
hundred the tests catch; here the tests do not help. The changed contract is compiled, and plays the
games that `traces` writes down, in which every call is compared with `perun.spec`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mutants.catalogue import CATALOGUE, Mutant
from mutants.quick import GAMES, compiled, play_games
from proofs.rows import Row
from tests.games.stateful import codec
from tests.games.stateful.test_coin_flip import Flips
from tests.games.stateful.test_escrow import Deals
from tests.games.stateful.test_hash_chain import Streams
from tests.games.stateful.test_price_bet import Bets
from tests.games.stateful.test_rock_paper_scissors import Throws
from tests.games.stateful.test_turn_game import Games

__all__ = ["LINES", "lines"]

LINES = (
    "settle-in-the-last-second",
    "settle-counts-net-again",
    "settle-swaps-payouts",
    "insolvent-alice-allowed",
    "net-other-way",
    "swapped-ignored",
    "no-lower-clamp",
    "close-leaves-funds",
    "close-bob-unsigned",
    "withdraw-bob-not-lowered",
    "withdraw-any-index",
    "claim-keeps-credit",
    "payout-lost",
    "payout-twice",
    "register-extends",
    "register-lower-version",
    "draw-for-free",
    "deadline-moves",
    "total-falls",
    "alice-statement-unsigned",
    "outcome-reversed",
    "reveal-late",
    "flip-silence-is-free",
    "flip-any-secret",
    "hands-other-way-round",
    "hands-sides-exchanged",
    "game-start-is-extended",
    "game-other-bank",
    "deal-conflict-keeps-the-first",
    "deal-more-than-a-lock",
    "stream-adds-up",
    "stream-any-signer",
    "bet-extends",
    "bet-third-price-counts",
)
"""By their names in the catalogue: money, time, signatures and order, in every contract we ship."""

OWN_GAMES: Mapping[str, Callable[[int], Any]] = {
    "CoinFlip": Flips,
    "RockPaperScissors": Throws,
    "TurnGame": Games,
    "GameRecord": Games,
    "Escrow": Deals,
    "HashChain": Streams,
    "PriceBet": Bets,
}
"""By source file: nanocontracts whose evidence comes from a game of their own."""


def lines(names: tuple[str, ...] = LINES) -> list[Row]:
    """Each must be noticed."""
    rows = []
    for mutant in CATALOGUE:
        if mutant.name not in names:
            continue
        started = time.monotonic()
        noticed = differs(mutant)
        note, seconds = noticed or "not noticed", time.monotonic() - started
        rows.append(Row(mutant.name, "changed line of Solidity", bool(noticed), seconds, note))
        print(f"{'ok   ' if noticed else 'WRONG'} {mutant.name:40} {note}", flush=True)
    codec.overrides.clear()
    return rows


def differs(mutant: Mutant) -> str | None:
    """The game in which the changed contract did something else, or None."""
    game = OWN_GAMES.get(Path(mutant.file).stem)
    if game is None:
        return play_games(mutant)
    codec.overrides.clear()
    codec.overrides.update(json.loads(compiled(mutant).read_text(encoding="utf-8")))
    for seed in range(5 * GAMES):
        try:
            game(seed).play()
        except AssertionError:
            return f"{game.__name__}, game {seed}"
    return None
