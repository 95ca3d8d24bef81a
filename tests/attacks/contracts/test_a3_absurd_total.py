"""A3: a payer over-signs its own total, hoping that the difference wraps or cannot be computed."""

from __future__ import annotations

import pytest

from tests.attacks.contracts.conftest import Path
from tests.support.reverts import reverts
from tests.support.stage import MOST


@pytest.mark.parametrize("paid_back", [0, 1, 5])
@pytest.mark.parametrize("absurd", [2**111, 2**112 - 1])
def test_total_that_would_wrap_is_refused_and_the_payment_stands(
    path: Path, absurd: int, paid_back: int
) -> None:
    machine, stage = path.machine, path.stage
    path.register()
    machine.submit(stage.bob, 6, paid_back)
    with reverts("TotalTooLarge", absurd):
        machine.submit(stage.alice, absurd, 0)
    stage.wait_until(machine.final_time + 1)
    assert machine.outcome() == (True, 6 - paid_back)


def test_greatest_total_only_costs_its_signer(path: Path) -> None:
    """It pays its whole lock, and the hub nothing."""
    machine, stage = path.machine, path.stage
    path.register()
    machine.submit(stage.bob, 6, 3)
    machine.submit(stage.alice, MOST, 0)
    stage.wait_until(machine.final_time + 1)
    gained = stage.gains(path.left.asset, stage.alice, stage.ingrid, stage.bob)
    path.settle("left")
    path.settle("right")
    assert gained() == (100 - 10, 200, 100 + 10)
