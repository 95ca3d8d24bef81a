"""Playing games, then telling stories, with a bug in the node until one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import ModuleType

from tests.attacks.scenarios import (
    test_attacks_a,
    test_attacks_bc,
    test_attacks_d,
    test_bets,
    test_field,
    test_flips,
    test_games,
    test_hands,
)
from tests.games.planted.bugs import Bug, planted
from tests.games.simulation.deep import drawn, failure

LENGTH = 120


def catch(bug: Bug, seeds: Iterable[int], *, stories: bool = True) -> str | None:
    """The first of these games, or the first story, that notices, and what it says."""
    with planted(bug):
        for seed in seeds:
            error = failure(drawn(seed, LENGTH))
            if error is not None:
                return f"game {seed}: {error}"
        return _story() if stories else None


def _story() -> str | None:
    for module in (
        test_bets,
        test_flips,
        test_hands,
        test_games,
        test_attacks_a,
        test_attacks_bc,
        test_attacks_d,
        test_field,
    ):
        for name, tell in _tests(module):
            try:
                tell()
            except Exception as error:
                return f"{name}: {error}"
    return None


def _tests(module: ModuleType) -> Iterator[tuple[str, Callable[[], None]]]:
    """The module's tests, each value of a parameter by itself."""
    for name, test in vars(module).items():
        if not name.startswith("test_") or not callable(test):
            continue
        marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
        if not marks:
            yield name, test
        for mark in marks:
            argument, values = mark.args
            for value in values:
                yield name, partial(test, **{argument: value})
