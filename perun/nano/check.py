"""What is wrong with rules, by their bytecode alone; and what a game by them costs and needs."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from perun.core.limits import DEFAULT_LIMITS
from perun.core.nanocontracts.turn_game import PACE
from perun.crypto import keccak
from perun.nano.code import Rules
from perun.nano.passages import passages
from perun.nano.search import Found, search
from perun.referee import RULES_GAS, Limits, NotAdmitted, Referee, RulesRefused
from perun.referee.evm import Run
from perun.referee.here import run as here

__all__ = ["EFFORT", "Report", "check"]

EFFORT: Final = 60_000
"""How often the rules are asked, if nobody says."""
_MOST_GAS: Final = RULES_GAS // 2
_MOST_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen."""

    name: str
    code: bytes
    faults: tuple[str, ...] = ()
    """Why nobody should play by them."""
    notes: tuple[str, ...] = ()
    """What to think about."""
    limits: Limits | None = None
    found: Found | None = None

    @property
    def code_hash(self) -> bytes:
        """What a game names them by, beside their address."""
        return keccak(self.code)

    @property
    def bank(self) -> int:
        """Least seconds of each player's clock with which a node agrees to play."""
        moves = 0 if self.limits is None else self.limits.moves
        return 2 * DEFAULT_LIMITS.margin + (moves + 1) // 2 * PACE


def check(
    rules: Rules, *, effort: int = EFFORT, seed: int | None = None, run: Run = here
) -> Report:
    """Searches rules for what they may not do.

    Args:
        effort: how often they are asked at most.
        seed: of the games at random, so that they can be played again.
        run: an EVM.
    """
    try:
        referee = Referee(rules.code, run)
    except NotAdmitted as refused:
        return Report(rules.name, rules.code, (str(refused),))
    faults, notes = passages(rules.code), list[str]()
    try:
        limits = referee.limits()
    except RulesRefused as refused:
        said = f"limits() does not answer: {refused.reason}"
        return Report(rules.name, rules.code, (*faults, said))
    faults += _of_limits(limits)
    found = search(referee, limits, rules.view, effort, Random(seed))  # noqa: S311  # no secret
    faults += [f"{what} ({where})" for what, where in found.faults.items()]
    if found.gas > _MOST_GAS:
        faults.append(f"a move of {found.gas:,} gas, above {_MOST_GAS:,} ({found.dearest})")
    if not found.whole:
        notes.append("too large to search whole: only what random games met was seen")
    if rules.view is None:
        notes.append("no view: boards and moves are shown and typed in hex")
    elif rules.view.resignation() is None:
        notes.append("its view names no move to resign by: on chain nobody can give up")
    return Report(rules.name, rules.code, tuple(faults), tuple(notes), limits, found)


def _of_limits(limits: Limits) -> list[str]:
    found = []
    for what, size in (("position", limits.position_bytes), ("move", limits.move_bytes)):
        if not 0 < size <= _MOST_BYTES:
            found.append(f"limits() says {size} bytes for a {what}: it may be 1 to {_MOST_BYTES:,}")
    longest = (DEFAULT_LIMITS.greatest_challenge - 2 * DEFAULT_LIMITS.margin) // PACE
    if not 0 < limits.moves <= longest:
        found.append(
            f"limits() says {limits.moves:,} moves: with more than {longest:,} no clock is long "
            "enough"
        )
    return found
