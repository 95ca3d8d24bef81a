"""`outcome`: the difference of the totals, once nobody can raise them any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.testing.owners import Owner
from tests.support.instances import PaymentMachine, new_machine
from tests.support.stage import HOUR, MOST, Stage

amounts = st.integers(0, 9) | st.integers(0, MOST)


@pytest.mark.parametrize(
    ("by_alice", "by_bob", "shift"),
    [(7, 4, 3), (4, 7, -3), (5, 5, 0), (MOST, 0, MOST), (0, MOST, -MOST), (MOST, MOST, 0)],
)
def test_outcome_is_the_difference_of_totals(
    machine: PaymentMachine, carol: Owner, by_alice: int, by_bob: int, shift: int
) -> None:
    deadline = machine.submit(carol, by_alice, by_bob).timestamp + HOUR
    machine.stage.wait_until(deadline + 1)
    assert machine.outcome() == (True, shift)


@pytest.mark.parametrize(("late", "expected"), [(-1, (False, 0)), (0, (False, 0)), (1, (True, 7))])
def test_outcome_is_done_when_the_deadline_is_over(
    machine: PaymentMachine, carol: Owner, late: int, expected: tuple[bool, int]
) -> None:
    deadline = machine.submit(carol, 7).timestamp + HOUR
    machine.stage.wait_until(deadline + late)
    assert machine.outcome() == expected


def test_machine_nobody_submitted_is_never_done(machine: PaymentMachine) -> None:
    machine.stage.wait_until(machine.final_time + 1)
    assert machine.outcome() == (False, 0)


def test_outcome_never_changes_once_done(machine: PaymentMachine, carol: Owner) -> None:
    deadline = machine.submit(carol, 7, 4).timestamp + HOUR
    for moment in (deadline + 1, machine.final_time + 1, 2**40):
        machine.stage.wait_until(moment)
        assert machine.outcome() == (True, 3)


@given(totals=st.tuples(amounts, amounts), late=st.sampled_from([-HOUR + 1, -1, 0, 1, HOUR]))
def test_outcome_is_what_the_plain_form_says(
    stage: Stage, carol: Owner, totals: tuple[int, int], late: int
) -> None:
    machine = new_machine(stage, stage.alice, stage.bob)
    machine.submit(carol, *totals)
    a, b, deadline = machine.totals()
    stage.wait_until((deadline or stage.now + HOUR) + late)
    done = deadline != 0 and stage.now > deadline
    assert machine.outcome() == (done, a - b if done else 0)


def test_outcome_of_an_unknown_id_is_not_done(stage: Stage) -> None:
    assert stage.vpm.ask("outcome", b"\xff" * 32) == (False, 0)


def test_outcome_answers_within_a_tenth_of_its_allowance(
    machine: PaymentMachine, carol: Owner
) -> None:
    deadline = machine.submit(carol, 7, 4).timestamp + HOUR
    machine.stage.wait_until(deadline + 1)
    transaction = 21_000 + 36 * 16
    assert machine.stage.vpm.ask("outcome", machine.id, gas=transaction + 12_000) == (True, 3)
