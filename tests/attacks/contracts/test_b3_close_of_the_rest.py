"""B3: an agreed Close brought after a part was settled, so that its net counts twice."""

from __future__ import annotations

import pytest

from tests.support.channels import BasicChannel
from tests.support.instances import new_machine
from tests.support.reverts import reverts


@pytest.mark.parametrize("net", [3, 4, -5, 5, 0])
def test_close_does_not_fit_the_rest(funded: BasicChannel, net: int) -> None:
    """State net 3 and a machine 5/5; the free 2 and 8 are paid; a Close over 5/5 is kept back."""
    stage = funded.stage
    machine = new_machine(stage, alice_lock=5, bob_lock=5)
    nanos = (machine.nano(),)
    gained = stage.gains(funded.asset, stage.alice, stage.bob, stage.ms)
    funded.register(stage.alice, 2, 3, nanos)
    deadline = funded.dispute().deadline
    stage.at(deadline + 1)
    funded.settle(stage.carol, 3, nanos)
    assert gained() == (2, 8, -10)

    stage.at(deadline + 2)
    with reverts("TooLate", deadline, deadline + 2):
        funded.close(stage.bob, net)
    stage.at(machine.final_time + 1)
    funded.settle(stage.carol, 0, nanos)
    assert gained() == (7, 13, -20)
