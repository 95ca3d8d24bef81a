"""A9: one instance listed twice in a state, or locked with less than it may move."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.channels import BasicChannel
from tests.support.instances import new_machine
from tests.support.reverts import reverts


@pytest.mark.parametrize(
    "change",
    [{}, {"swapped": True}, {"alice_lock": 0}, {"bob_lock": 0}, {"expiry": 2**40 - 1}],
    ids=["same", "swapped", "other aliceLock", "other bobLock", "other expiry"],
)
def test_instance_is_listed_once_whatever_differs(
    funded: BasicChannel, change: dict[str, object]
) -> None:
    """Every payment would count twice."""
    nano = new_machine(funded.stage, alice_lock=5, bob_lock=5).nano()
    again = msgspec.structs.replace(nano, **change)
    for nanos in ((nano, again), (again, nano)):
        with reverts("NanosNotAscending", 1):
            funded.register(funded.alice, 2, 0, nanos)


def test_locks_of_the_state_bound_the_instance(funded: BasicChannel) -> None:
    """The machine would move 9; what the state locks is all that can move."""
    stage = funded.stage
    machine = new_machine(stage, challenge=60)
    nano = msgspec.structs.replace(machine.nano(), alice_lock=1, bob_lock=1)
    funded.register(stage.bob, 2, 0, (nano,), evidence=(machine.evidence(9),))
    funded.wait_until_settleable()
    gained = stage.gains(funded.asset, stage.alice, stage.bob)
    funded.settle(stage.bob, 0, (nano,))
    assert gained() == (9, 11)


def test_instance_that_nobody_decides_frees_its_locks_at_its_expiry(
    funded: BasicChannel,
) -> None:
    """The ends keep silent; the hub's lock is free one second after the final time."""
    stage = funded.stage
    machine = new_machine(stage)
    funded.register(stage.alice, 2, 0, (machine.nano(),))
    gained = stage.gains(funded.asset, stage.alice, stage.bob)
    stage.at(machine.final_time)
    funded.settle(stage.carol, 0, (machine.nano(),))
    assert gained() == (0, 0)
    stage.at(machine.final_time + 1)
    funded.settle(stage.carol, 0, (machine.nano(),))
    assert gained() == (10, 10)
