"""The main table: what each row may cost, and what it costs elsewhere.

`floor` is a hand-written contract without any safety, `peer` the cheapest other suite; both were
measured in one EVM under the conditions of this table (see `peers`). `must` is the budget that the
tests hold, `stretch` the goal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the main table: some steps of a row together."""

    name: str
    title: str
    row: str
    steps: tuple[int, ...] | None
    """Places of the steps that count; None counts all."""
    floor: int | None
    peer: int | None
    must: int
    stretch: int

    def of(self, rows: Mapping[str, Mapping[str, int]]) -> int:
        """What we use."""
        gas = list(rows[self.row].values())
        return sum(gas if self.steps is None else (gas[place] for place in self.steps))


GOALS = (
    Goal("deposits", "two `deposit`s", "happy", (0, 1), 70_222, 76_084, 78_500, 76_500),
    Goal(
        "close",
        "`close` by a party with one signature, pays both",
        "happy",
        (2,),
        42_387,
        92_476,
        52_500,
        51_000,
    ),
    Goal("happy", "**happy life** = both", "happy", None, 112_609, 168_560, 131_000, 127_500),
    Goal(
        "countered",
        "countered dispute: `register`, newer `register`, `settle`",
        "countered",
        None,
        103_644,
        271_572,
        150_000,
        142_000,
    ),
    Goal(
        "payment-carried",
        "payment dispute: `register` with both statements, `settle`",
        "payment-carried",
        None,
        109_299,
        419_016,
        172_000,
        160_000,
    ),
    Goal(
        "payment-separate",
        "payment dispute: `register`, `submitStatements` by each, `settle`",
        "payment-separate",
        None,
        None,
        None,
        222_000,
        205_000,
    ),
    Goal(
        "hub",
        "across a hub, both channels to their end",
        "hub",
        None,
        None,
        786_000,
        332_000,
        310_000,
    ),
    Goal(
        "open-both",
        "`openBoth`, the hub's half from its credit",
        "open-both",
        None,
        53_367,
        None,
        66_000,
        64_000,
    ),
    Goal("close-erc20", "ERC-20 `close`", "happy-erc20", (2,), 50_712, 99_272, 60_500, 58_500),
)
