"""Some changed conditions, each noticed by the core; `python -m tests.games.planted.edits`: all."""

from __future__ import annotations

import pytest

from tests.games.planted.edited import EDITS
from tests.games.planted.edits import noticed

SOME = ["settle-always", "flip-loser-says"]


@pytest.mark.parametrize("name", SOME)
def test_changed_condition_is_noticed(name: str) -> None:
    edit = EDITS[name]
    if not edit.applies:
        pytest.skip("the source has changed: `python -m tests.games.planted.edits` says which")
    assert noticed(edit, all_tests=False) is not None


def test_every_edit_changes_something() -> None:
    assert len(EDITS) >= 180
    assert [edit.name for edit in EDITS.values() if edit.old == edit.new] == []
