"""From a node to the numbers of `gas.json` and `spread.json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.gas.bench import Bench
from benchmarks.gas.goals import GOALS
from benchmarks.gas.nodes import Node
from benchmarks.gas.rows import ROWS

DEPLOYED = ("MSContract", "VPM", "HashTimeLock", "LibSignatures")
BESIDE = (
    *("CoinFlip", "RockPaperScissors", "TurnGame", "TicTacToe", "Escrow", "HashChain", "PriceBet"),
    *("Nim", "FourInARow", "Chess", "Gate"),
)
"""Deployed by the rows that use them, so that no other row moves."""
SEEDS = range(1, 21)

Steps = dict[str, dict[str, int]]
"""Row -> step -> gas."""


def measure_rows(node: Node, seed: int, names: Iterable[str] | None = None) -> Steps:
    """The named rows, all if none are named, in one prepared bench."""
    with node.isolated():
        bench = Bench(node, seed)
        return {name: ROWS[name].measure(bench) for name in (ROWS if names is None else names)}


def measure_all(node: Node) -> dict[str, Any]:
    """What `gas.json` holds."""
    with node.isolated():
        bench = Bench(node)
        rows = {name: entry.measure(bench) for name, entry in ROWS.items()}
        deployments = {name: _deployment(bench, name) for name in DEPLOYED}
        with bench.isolated():
            for name in BESIDE:
                bench.deploy(name)
                deployments[name] = _deployment(bench, name)
    return {"rows": rows, "deployments": deployments}


def _deployment(bench: Bench, name: str) -> dict[str, int]:
    return {
        "gas": bench.deployments[name],
        "runtime_bytes": len(bench.runtime_code(name)),
        "creation_bytes": len(bench.code(name)),
    }


def measure_spread(node: Node, seed: int) -> dict[str, int]:
    """The rows of the main table with the keys, nonces, salts and times of another seed."""
    rows = measure_rows(node, seed, {goal.row for goal in GOALS})
    return {goal.name: goal.of(rows) for goal in GOALS}
