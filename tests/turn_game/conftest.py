"""A game of tic-tac-toe between Alice and Bob."""

from __future__ import annotations

import pytest

from tests.support.stage import Stage
from tests.turn_game.table import Table, new_table


@pytest.fixture
def table(stage: Stage) -> Table:
    return new_table(stage)
