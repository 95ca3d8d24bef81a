"""From a node to the numbers of `gas.json` and `spread.json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.gas.goals import GOALS
from benchmarks.gas.nodes import Node
from benchmarks.gas.rows import ROWS
from benchmarks.gas.world import World

DEPLOYED = ("MSContract", "VPM", "HashTimeLock", "LibSignatures")
BESIDE = ("CoinFlip", "TurnGame", "TicTacToe")
"""Deployed by the rows that use them, so that no other row moves."""
SEEDS = range(1, 21)

Steps = dict[str, dict[str, int]]
"""Row -> step -> gas."""


def measure_rows(node: Node, seed: int, names: Iterable[str] | None = None) -> Steps:
    """The named rows, all if none are named, in one prepared world."""
    with node.isolated():
        world = World(node, seed)
        return {name: ROWS[name].measure(world) for name in (ROWS if names is None else names)}


def measure_all(node: Node) -> dict[str, Any]:
    """What `gas.json` holds."""
    with node.isolated():
        world = World(node)
        rows = {name: entry.measure(world) for name, entry in ROWS.items()}
        deployments = {name: _deployment(world, name) for name in DEPLOYED}
        with world.isolated():
            for name in BESIDE:
                world.deploy(name)
                deployments[name] = _deployment(world, name)
    return {"rows": rows, "deployments": deployments}


def _deployment(world: World, name: str) -> dict[str, int]:
    return {
        "gas": world.deployments[name],
        "runtime_bytes": len(world.runtime_code(name)),
        "creation_bytes": len(world.code(name)),
    }


def measure_spread(node: Node, seed: int) -> dict[str, int]:
    """The rows of the main table with the keys, nonces, salts and times of another seed."""
    rows = measure_rows(node, seed, {goal.row for goal in GOALS})
    return {goal.name: goal.of(rows) for goal in GOALS}
