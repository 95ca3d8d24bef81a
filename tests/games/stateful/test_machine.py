"""Quick form of the stateful tests; the deep one is `python -m tests.games.stateful`."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.games.stateful.games import Tally, run
from tests.games.stateful.play import Play


class Machine(RuleBasedStateMachine):
    """One game under hypothesis, which leaves out moves that a failure does not need."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(Random(0))

    @rule(seed=st.integers(0, 2**32 - 1))
    def move(self, seed: int) -> None:
        self.play.reseed(seed)
        self.play.step()

    def teardown(self) -> None:
        self.play.arena.compare_all()


def test_contract_and_model_agree_after_every_move() -> None:
    quick = settings(
        max_examples=12, stateful_step_count=40, deadline=None, derandomize=True, database=None
    )
    run_state_machine_as_test(Machine, settings=quick)


@pytest.fixture(scope="module")
def tally() -> Tally:
    """Twelve long games."""
    tally = Tally()
    for seed in range(12):
        run(seed, tally)
    return tally


def test_every_kind_of_check_was_made(tally: Tally) -> None:
    wanted = {
        "P2: honest parties paid",
        "P3: payouts",
        "P4: hubs neutral",
        "P5: exits",
        "P10: races",
        "P10: answers that stood",
        "starved calls that succeeded",
        "reordered bundles",
        "full comparisons",
    }
    assert {name for name in wanted if not tally.checked[name]} == set()
    assert tally.hooks > 0


def test_every_function_succeeded(tally: Tally) -> None:
    assert [name for name in tally.never() if name[name.index(".") + 1].islower()] == []


def test_games_are_rich_in_refusals(tally: Tally) -> None:
    """The deep run demands every single error; a short one all but the rarest."""
    never = [name for name in tally.never() if name[name.index(".") + 1].isupper()]
    assert len(never) <= 4, never
