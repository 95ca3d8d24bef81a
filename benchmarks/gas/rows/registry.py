"""The list of rows. A row is a function that plays a scene; what it measures are its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.gas.bench import Bench
from benchmarks.gas.scene import Scene

ETH_NAME = "ETH"
TOKEN_NAME = "ERC-20"

Play = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tables."""

    name: str
    """Key in `gas.json`."""
    group: str
    title: str
    about: str
    """What happened before, and what is not obvious from the steps."""
    asset: str
    play: Play

    def measure(self, bench: Bench) -> dict[str, int]:
        """Gas of each step, on a chain that is put back afterwards."""
        with bench.isolated():
            scene = Scene(bench, self.name)
            if self.asset == TOKEN_NAME:
                scene.asset = bench.token
            self.play(scene)
        return scene.steps


ROWS: dict[str, Row] = {}


def row(
    name: str, group: str, title: str, about: str, assets: tuple[str, ...] = (ETH_NAME,)
) -> Callable[[Play], Play]:
    """Lists a function as a row, once for each asset."""

    def add(play: Play) -> Play:
        for asset in assets:
            key = name if asset == ETH_NAME else f"{name}-erc20"
            if key in ROWS:
                raise ValueError(f"two rows are named {key}")
            ROWS[key] = Row(key, group, title, about, asset, play)
        return play

    return add
