"""Some changed conditions, each noticed by the core; `python -m tests.games.planted.edits`: all."""

from __future__ import annotations

import pytest

from tests.games.planted.edited import EDITS
from tests.games.planted.edits import noticed

SOME = ["settle-always", "flip-loser-says"]


@pytest.mark.parametrize("name", SOME)
def test_changed_condition_is_noticed(name: str) -> None:
    assert noticed(EDITS[name], all_tests=False) is not None


def test_every_edit_changes_something() -> None:
    assert len(EDITS) >= 180
    assert [edit.name for edit in EDITS.values() if edit.old == edit.new] == []


def test_every_edit_has_its_place_in_the_source() -> None:
    """Whoever changes the lines that one is about lets it follow: else it tests nothing more."""
    assert [edit.name for edit in EDITS.values() if not edit.applies] == []
