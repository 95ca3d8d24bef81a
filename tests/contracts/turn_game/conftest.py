"""A game of tic-tac-toe between Alice and Bob."""

from __future__ import annotations

import pytest

from tests.contracts.turn_game.table import Table, new_table
from tests.support.stage import Stage


@pytest.fixture
def table(stage: Stage) -> Table:
    return new_table(stage)
