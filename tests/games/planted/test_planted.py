"""A handful of planted bugs; `python -m tests.games.planted` plants all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from perun.core.hub import pairs
from perun.core.states import content
from tests.games.planted.bugs import BUGS, planted
from tests.games.planted.hunt import catch
from tests.games.simulation.deep import drawn, failure, keep, kind_of, smaller
from tests.games.simulation.game import Game

BY_NAME = {bug.name: bug for bug in BUGS}


@pytest.mark.parametrize(
    "name",
    [
        "hub signs one side first",
        "payee ignores the payer's lock",
        "shift not exchanged",
        "signs in a dispute",
        "sends before it stores",
        "registers an old state",
        "a packet of before opens again",
        "boxes are not sealed",
        "keys are forgotten with the process",
        "a payment's row is lost",
    ],
)
def test_bug_is_caught_within_a_few_games(name: str) -> None:
    assert catch(BY_NAME[name], range(16), stories=False) is not None


@pytest.mark.parametrize(
    "name",
    [
        "payer does not wait for Ready",
        "signs with a stale view",
        "hub replaces at any net",
        "hub replaces at totals that differ",
        "hub believes any half that is brought",
        "secret said before the flip is locked",
        "one secret for all flips under one salt",
        "secret never said on chain",
        "secret of a hand does not follow from the hand",
        "equal hands are not said on chain",
        "any position of the other side's is signed",
        "game begun before it is locked",
        "old position on chain not answered",
        "move for the chain signed early",
    ],
)
def test_bug_is_caught_by_a_story(name: str) -> None:
    assert catch(BY_NAME[name], ()) is not None


def test_failure_is_made_small_and_replayed_from_its_file(tmp_path: Path) -> None:
    with planted(BY_NAME["settles once only"]):
        game = next(game for game in (drawn(n, 16) for n in range(9)) if failure(game) is not None)
        error = failure(game)
        assert error is not None
        small = smaller(game, examples=10)
        path = keep(small, error, tmp_path)
        again = failure(Game.read(path))
        assert again is not None
        assert kind_of(again) == kind_of(error)
    assert len(small.moves) <= 4
    assert failure(Game.read(path)) is None


def test_there_are_many_of_them_and_each_has_its_name() -> None:
    assert len(BY_NAME) == len(BUGS) >= 15
    assert all(bug.rule and bug.replacements for bug in BUGS)


def test_nothing_stays_behind() -> None:
    before = (pairs.on_half, content.next_version)
    for bug in BUGS:
        with planted(bug):
            pass
    assert (pairs.on_half, content.next_version) == before
