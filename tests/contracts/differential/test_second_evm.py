"""Two EVMs, written by different people, make the same of one recorded game, gas included.

The game is played on revm in process; its transactions are then mined by py-evm (eth-tester) and
by anvil, in blocks at the same seconds.
"""

from __future__ import annotations

import pytest

from tests.games.stateful.arena import Step
from tests.games.stateful.games import Tally, run
from tests.games.stateful.nodes import anvil
from tests.games.stateful.replay import Anvil, Mined, PyEvm, differences, replay


@pytest.fixture(scope="module")
def trace() -> list[Step]:
    return run(3, Tally(), steps=100).arena.trace


@pytest.fixture(scope="module")
def on_py_evm(trace: list[Step]) -> list[Mined]:
    return replay(trace, PyEvm())


def test_game_has_something_of_everything(trace: list[Step]) -> None:
    assert len(trace) > 80
    assert {step.success for step in trace} == {True, False}
    assert {"MSContract", "VPM", "HashTimeLock"} <= {step.to for step in trace}


def test_py_evm_agrees_with_revm(trace: list[Step], on_py_evm: list[Mined]) -> None:
    assert differences(trace, on_py_evm) == []


@pytest.mark.chain
def test_anvil_agrees_and_uses_the_same_gas(trace: list[Step], on_py_evm: list[Mined]) -> None:
    with anvil() as url:
        if url is None:
            pytest.skip("anvil is not installed: npm install")
        on_anvil = replay(trace, Anvil(url))
    assert differences(trace, on_anvil) == []
    assert [mined.gas for mined in on_anvil] == [mined.gas for mined in on_py_evm]
