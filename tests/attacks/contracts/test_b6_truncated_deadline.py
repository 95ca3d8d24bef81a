"""B6: times so late that, cut to their bits, they are over at once."""

from __future__ import annotations

import pytest

from tests.support.channels import new_channel
from tests.support.instances import new_machine
from tests.support.reverts import reverts
from tests.support.stage import Stage


@pytest.mark.parametrize("challenge", [3 * 10**9, 2**32 - 1])
def test_long_challenge_of_a_machine_is_a_long_challenge(stage: Stage, challenge: int) -> None:
    machine = new_machine(stage, challenge=challenge)
    deadline = machine.submit(stage.mallory, 1).timestamp + challenge
    assert machine.totals() == (1, 0, deadline)
    stage.wait_until(stage.now + 100)
    assert machine.outcome() == (False, 0)
    machine.submit(stage.bob, 9)
    assert machine.totals() == (9, 0, deadline)


@pytest.mark.parametrize("validity", [2**34 - 3600, 2**34, 2**40 - 1])
def test_machine_whose_end_does_not_fit_is_refused(stage: Stage, validity: int) -> None:
    machine = new_machine(stage, validity=validity)
    with reverts("FinalTimeTooFar", validity + 3600):
        machine.submit(stage.mallory, 1)


def test_long_challenge_of_a_channel_is_a_long_challenge(stage: Stage) -> None:
    channel = new_channel(stage, challenge=2**32 - 1).fund(10, 10)
    channel.register(stage.alice, 0)
    deadline = channel.dispute().deadline
    assert deadline == stage.now + 2**32 - 1
    moment = stage.now + 100
    stage.at(moment)
    with reverts("DisputeStillOpen", channel.id, deadline, moment):
        channel.settle(stage.alice)
