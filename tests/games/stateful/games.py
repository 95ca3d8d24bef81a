"""Many games, one after another: what the quick test and the deep run have in common."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.games.stateful.arena import CORE, Arena
from tests.games.stateful.play import Play

STEPS = 300
"""Moves of one game; pyrevm keeps a journal that grows, so a game should end."""


@dataclass(slots=True)
class Tally:
    """What a run of games has seen."""

    steps: int = 0
    games: int = 0
    hooks: int = 0
    succeeded: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)

    def add(self, play: Play, steps: int) -> None:
        self.steps += steps
        self.games += 1
        self.hooks += play.arena.hooks_tried()
        self.succeeded += play.arena.succeeded
        self.raised += play.arena.raised
        self.checked += play.arena.checked

    def never(self) -> list[str]:
        """Functions that never succeeded and errors that were never raised: none may be left."""
        return [name for name in functions() if not self.succeeded[name]] + [
            name for name in errors() if not self.raised[name]
        ]


def functions() -> list[str]:
    """Everything that changes state, by contract."""
    return sorted(f"{contract}.{name}" for contract, name in Arena().calls())


def errors() -> list[str]:
    """Every error that the interfaces declare, by contract."""
    codecs = Arena().stage.codecs
    foreign = {"ReentrancyGuardReentrantCall", "SafeERC20FailedOperation"}
    return sorted(
        f"{contract}.{name}"
        for contract in CORE
        for name, _ in codecs[contract].errors.values()
        if name not in foreign
    )


class GameFailed(AssertionError):
    """A game ended in a disagreement or a violated property."""

    def __init__(self, seeds: Sequence[int], cause: AssertionError) -> None:
        self.seeds = list(seeds)
        """One per move, up to the one that failed."""
        self.cause = cause
        super().__init__(f"after {len(seeds)} moves: {cause}")


def play_moves(seeds: Sequence[int]) -> Play:
    """One game; each move draws from a generator of its own, so moves can be left out."""
    play = Play(Random(0))
    for number, seed in enumerate(seeds):
        play.reseed(seed)
        try:
            play.step()
        except AssertionError as cause:
            raise GameFailed(seeds[: number + 1], cause) from cause
    try:
        play.finish()
    except AssertionError as cause:
        raise GameFailed(seeds, cause) from cause
    return play


def run(seed: int, tally: Tally, steps: int = STEPS) -> Play:
    """The game of number `seed`, added to `tally`."""
    rng = Random(seed)
    play = play_moves([rng.getrandbits(32) for _ in range(steps)])
    tally.add(play, steps)
    return play


def shrink(seeds: Sequence[int], seconds: float) -> list[int]:
    """Fewer moves that still fail, found by leaving out ever smaller pieces."""
    best, until = list(seeds), time.monotonic() + seconds
    for candidate in _smaller(best):
        if time.monotonic() > until:
            break
        try:
            play_moves(candidate)
        except GameFailed as failed:
            if len(failed.seeds) < len(best):
                return shrink(failed.seeds, until - time.monotonic())
    return best


def _smaller(seeds: list[int]) -> Iterator[list[int]]:
    size = len(seeds) // 2
    while size:
        for start in range(0, len(seeds), size):
            yield seeds[:start] + seeds[start + size :]
        size //= 2
