"""A handful of planted bugs; `python -m tests.planted` plants all of them."""

from __future__ import annotations

import pytest

from perun.core import content, crossing
from tests.planted.bugs import BUGS, planted
from tests.planted.hunt import catch

BY_NAME = {bug.name: bug for bug in BUGS}


@pytest.mark.parametrize(
    ("name", "games"),
    [
        ("hub signs one side first", range(1)),
        ("payee ignores the payer's lock", range(1, 3)),
        ("version rule loosened", range(3, 8)),
        ("shift not exchanged", range(1)),
        ("signs in a dispute", range(1)),
        ("payee never submits", range(2, 4)),
        ("sends before it stores", range(4)),
    ],
)
def test_bug_is_caught_within_a_few_games(name: str, games: range) -> None:
    assert catch(BY_NAME[name], games, stories=False) is not None


def test_there_are_many_of_them_and_each_has_its_name() -> None:
    assert len(BY_NAME) == len(BUGS) >= 15
    assert all(bug.rule and bug.replacements for bug in BUGS)


def test_nothing_stays_behind() -> None:
    before = (crossing.on_held, content.next_version)
    for bug in BUGS:
        with planted(bug):
            pass
    assert (crossing.on_held, content.next_version) == before
