"""Changed lines of the contracts: each must break a replayed trace, or a lemma about the bytecode.

They are taken from the catalogue of broken contracts (`mutants/catalogue.toml`), whose three
hundred the tests catch; here the tests do not help. The changed contract is compiled, and plays the
games that `traces` writes down, in which every call is compared with `perun.spec`.
"""

from __future__ import annotations

import time

from mutants.catalogue import CATALOGUE
from mutants.quick import play_games
from proofs.rows import Row
from tests.games.stateful import codec

__all__ = ["LINES", "lines"]

LINES = (
    "settle-in-the-last-second",
    "insolvent-alice-allowed",
    "net-other-way",
    "close-leaves-funds",
    "withdraw-bob-not-lowered",
    "claim-keeps-credit",
    "register-extends",
    "draw-for-free",
    "deadline-moves",
    "outcome-reversed",
    "reveal-late",
    "payout-twice",
)
"""By their names in the catalogue: money, time, signatures and order, in all the core contracts."""


def lines() -> list[Row]:
    """Each must be noticed."""
    rows = []
    for mutant in CATALOGUE:
        if mutant.name not in LINES:
            continue
        started = time.monotonic()
        noticed = play_games(mutant)
        note, seconds = noticed or "not noticed", time.monotonic() - started
        rows.append(Row(mutant.name, "changed line of Solidity", bool(noticed), seconds, note))
        print(f"{'ok   ' if noticed else 'WRONG'} {mutant.name:40} {note}", flush=True)
    codec.overrides.clear()
    return rows
