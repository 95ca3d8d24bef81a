"""What a run says of each claim: the one table that `python -m proofs` ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["NOT_PROVED", "Row", "show"]


@dataclass(frozen=True, slots=True)
class Row:
    """One claim, and what became of it."""

    claim: str
    kind: str
    good: bool
    seconds: float | None = None
    note: str = ""


NOT_PROVED: dict[str, str] = {
    "P2 with reorganisations": "a party sees the chain that stays; the contracts' part is proved",
    "P4 for replacements": "not in the hub's model; tests and simulation",
    "section 4 for Gate": "it asks another instance, as no other kind does; tests",
    "P6 optimistic cost": "counted by tests/core and the gas table",
    "P7 between assets, beyond one call": "a call's effects are proved; the games try tokens",
    "P9 griefing bound": "a test for each bound (docs/security.md)",
    "that the core is the parties' and the hub's model": "explored for small bounds, not proved",
    "gas allowances of calls that the contract makes": "gas is in no model; tests/contracts",
    "openBoth, settleMany and lists of many nanos in the bytecode": "replayed, no lemma of halmos",
}
"""What would be worth a proof and has none, and what there is instead."""


def show(rows: Sequence[Row], *, whole: bool) -> None:
    """Prints the table; `whole`: with what is not proved."""
    wide = max((len(row.claim) for row in rows), default=0)
    print(f"\n{'claim':{wide}}  {'kind of evidence':28}  {'result':10}  {'seconds':>7}")
    for row in rows:
        result = "ok" if row.good else "WRONG"
        seconds = "" if row.seconds is None else f"{row.seconds:7.1f}"
        print(f"{row.claim:{wide}}  {row.kind:28}  {result:10}  {seconds:>7}  {row.note}".rstrip())
    if whole:
        for claim, instead in NOT_PROVED.items():
            print(f"{claim:{wide}}  {'–':28}  not proved           {instead}")
    wrong = sum(not row.good for row in rows)
    print(f"\n{len(rows) - wrong} of {len(rows)} hold")
