"""A10: the payee of a one-way machine signs a "refund", so that a hub in the middle is not paid."""

from __future__ import annotations

import pytest

from tests.attacks.contracts.conftest import Path
from tests.support.stage import MOST


@pytest.mark.parametrize("refund", [1, 9, MOST])
@pytest.mark.parametrize("order", ["before", "with", "after"])
def test_refund_in_a_one_way_machine_is_not_recorded(path: Path, order: str, refund: int) -> None:
    path = path.with_machine(alice_lock=10, bob_lock=0)
    path.register()
    machine, stage = path.machine, path.stage
    if order == "before":
        machine.submit(stage.bob, 0, refund)
    machine.submit(stage.ingrid, 10, refund if order == "with" else 0)
    if order == "after":
        machine.submit(stage.bob, 0, refund)

    stage.wait_until(machine.final_time + 1)
    gained = stage.gains(path.left.asset, stage.alice, stage.ingrid, stage.bob)
    path.settle("right")
    path.settle("left")

    assert machine.outcome() == (True, 10)
    assert gained() == (90, 200, 110)


def test_outcome_of_a_one_way_machine_only_rises(path: Path) -> None:
    machine = path.with_machine(alice_lock=10, bob_lock=0).machine
    stage = path.stage
    machine.submit(stage.bob, 4, 0)
    for totals in ((3, 9), (0, 10), (2, MOST)):
        machine.submit(stage.alice, *totals)
    stage.wait_until(machine.final_time + 1)
    assert machine.outcome() == (True, 4)
