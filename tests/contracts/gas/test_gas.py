"""The committed gas table is what the contracts use, to the unit, on both kinds of node."""

from __future__ import annotations

import pytest

from benchmarks.gas import files
from benchmarks.gas.goals import GOALS
from benchmarks.gas.measure import SEEDS, measure_all, measure_spread
from benchmarks.gas.nodes import MemoryNode, anvil_node
from populus import Project
from populus.chain import TesterChain

AGAIN = "python -m benchmarks.gas --write"


@pytest.fixture
def node(chain: TesterChain) -> MemoryNode:
    return MemoryNode(chain)


def test_every_number_is_the_committed_one(node: MemoryNode) -> None:
    changed = list(files.differences(files.read(files.GAS), measure_all(node)))
    assert not changed, f"gas has changed; see if that is meant, then: {AGAIN}"


def test_no_budget_is_overrun() -> None:
    rows = files.read(files.GAS)["rows"]
    over = {goal.name: goal.of(rows) - goal.must for goal in GOALS if goal.of(rows) > goal.must}
    assert not over


def test_no_budget_is_overrun_with_other_keys() -> None:
    spread = files.read(files.SPREAD)
    assert {goal.name: len(spread[goal.name]) for goal in GOALS} == {
        goal.name: len(SEEDS) for goal in GOALS
    }
    assert [goal.name for goal in GOALS if max(spread[goal.name]) > goal.must] == []


def test_other_keys_cost_what_is_committed(node: MemoryNode) -> None:
    spread = files.read(files.SPREAD)
    first = {name: numbers[0] for name, numbers in spread.items()}
    assert measure_spread(node, SEEDS[0]) == first, f"see if that is meant, then: {AGAIN}"


def test_the_page_is_made_of_the_numbers() -> None:
    pages = files.pages(files.read(files.GAS), files.read(files.SPREAD))
    stale = [path.name for path, text in pages.items() if path.read_text("utf-8") != text]
    assert not stale, f"edit benchmarks/gas/page.py, not the page; then: {AGAIN}"


def test_every_function_has_a_row(project: Project) -> None:
    """A function that changes something and has no row could grow dear unseen."""
    measured = files.read(files.GAS)["rows"]
    named = {
        "open": "open",
        "openBoth": "open-both",
        "deposit": "deposit",
        "close": "close",
        "withdraw": "withdraw",
        "register": "register",
        "settle": "settle-third",
        "settleMany": "settle-many",
        "fund": "fund",
        "claim": "claim",
        "submitStatements": "submit-statements",
        "submit": "submit",
        "reveal": "reveal",
        "submitPosition": "position",
        "submitMove": "move",
    }
    assert set(named.values()) <= set(measured)
    for contract in ("MSContract", "VPM", "HashTimeLock", "CoinFlip", "TurnGame"):
        for entry in project.compiled_contract_data[contract]["abi"]:
            if entry["type"] == "function" and entry["stateMutability"] in (
                "nonpayable",
                "payable",
            ):
                assert entry["name"] in named


@pytest.mark.chain
def test_anvil_uses_the_same_gas(project: Project) -> None:
    with anvil_node(project) as node:
        changed = list(files.differences(files.read(files.GAS), measure_all(node)))
    assert not changed
