"""Every row of the gas tables, in the order in which the page shows them."""

from benchmarks.gas.rows import (
    agreement,
    bets,
    deals,
    dispute,
    machines,
    others,
    paths,
    streams,
    two_players,
    with_lists,
)
from benchmarks.gas.rows.registry import ROWS, Row

__all__ = [
    "ROWS",
    "Row",
    "agreement",
    "bets",
    "deals",
    "dispute",
    "machines",
    "others",
    "paths",
    "streams",
    "two_players",
    "with_lists",
]
