"""`docs/gas.md` and `docs/gas.svg`, made of the two JSON files and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from benchmarks.gas.goals import GOALS, Goal
from benchmarks.gas.peers import FLOOR, PEERS, Peer
from benchmarks.gas.picture import Bar, draw
from benchmarks.gas.rows import ROWS, Row
from benchmarks.gas.rows.registry import TOKEN_NAME

_OURS = "this project"


def page(measured: Mapping[str, Any], spread: Mapping[str, list[int]]) -> str:
    """The whole page."""
    return "\n".join(
        (
            "# What everything costs",
            "",
            "<!-- Written by `python -m benchmarks.gas --write`; do not edit. -->",
            "",
            "Gas used, from receipts. The numbers are equal to the unit on every machine and on "
            "both kinds of node, eth-tester (py-evm) and anvil (revm); a test compares them. "
            "How that is done stands [at the end](#how-it-is-measured).",
            "",
            *_goals(measured["rows"], spread),
            *_standing(measured["rows"]),
            *_groups(measured["rows"]),
            *_deployments(measured["deployments"]),
            *_method(len(next(iter(spread.values())))),
        )
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _table(head: str, lines: Iterator[tuple[str, ...]], numbers: range) -> Iterator[str]:
    """A table whose columns in `numbers` are set right."""
    columns = [part.strip() for part in head.split("|")]
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "|".join("--:" if n in numbers else "---" for n in range(len(columns))) + "|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


# -- the main table ------------------------------------------------------------------------------


def _goals(rows: Mapping[str, Any], spread: Mapping[str, list[int]]) -> Iterator[str]:
    yield "## Budgets"
    yield ""
    yield (
        "*Floor* is a hand-written contract without any safety, *best peer* the suite whose "
        "channels cost least over a life (across a hub: twice its one measured leg, since nobody "
        "measured both together), *must* the budget that a test holds, *stretch* the goal. "
        "The last three columns are the same row with other keys, nonces, salts, addresses and "
        "times."
    )
    yield ""
    head = "ETH unless said|floor|best peer|must|stretch|ours|below must|to stretch"
    lines = (_goal(goal, goal.of(rows), spread[goal.name]) for goal in GOALS)
    yield from _table(head + "|least|median|most", lines, range(1, 11))


def _goal(goal: Goal, ours: int, others: list[int]) -> tuple[str, ...]:
    over = ours - goal.stretch
    return (
        goal.title,
        _number(goal.floor),
        _number(goal.peer),
        _number(goal.must),
        _number(goal.stretch),
        f"**{ours:,}**",
        _number(goal.must - ours),
        "met" if over <= 0 else f"+{over:,}",
        _number(min(others)),
        _number(median(others)),
        _number(max(others)),
    )


# -- the comparison ------------------------------------------------------------------------------


def _ours(rows: Mapping[str, Any]) -> Peer:
    total = {name: sum(steps.values()) for name, steps in rows.items()}
    token_close = list(rows["happy-erc20"].values())[2]
    payment = total["payment-carried"]
    return Peer(_OURS, "", total["happy"], total["countered"], payment, token_close)


def _share(part: int | None, whole: int | None) -> str:
    return f"{part / whole:.0%}" if part and whole else "–"


def _standing(rows: Mapping[str, Any]) -> Iterator[str]:
    ours = _ours(rows)
    nitro = PEERS[0]
    yield "## How we stand"
    yield ""
    yield (
        f"A happy life costs {_share(ours.happy, nitro.happy)} of the cheapest other suite's, "
        f"{nitro.name}; against the same suite a countered dispute costs "
        f"{_share(ours.countered, nitro.countered)} and a dispute about a payment "
        f"{_share(ours.payment, nitro.payment)}. (LedgerChannel answers a dispute for less than "
        f"{nitro.name} does, in a contract that every channel has to deploy.) The floor, which has "
        f"no ABI, no EIP-712, no guard and few logs, is at {_share(FLOOR.happy, ours.happy)} of "
        "our happy life. Two things make the difference: one storage slot for both deposits, and a "
        "dispute kept as one word: nanocontracts stand in the signed state and need no slot."
    )
    yield ""
    yield "![Gas of a happy life, a countered dispute and a payment dispute](gas.svg)"
    yield ""
    head = "suite|happy life, ETH|countered dispute|payment dispute|ERC-20 close|measured"
    yield from _table(head, (_peer(peer) for peer in (FLOOR, ours, *PEERS)), range(1, 5))
    yield (
        "All suites were measured side by side in one anvil 1.7.1 under prague in November 2026, "
        "each with its own compiler settings, under the conditions below. Suites differ in what "
        "they call a payment dispute (a hash lock, a voucher, a sub-channel): each number is that "
        "suite's own, answered where it can be. A dash is an operation that the suite does not "
        "have or that was not measured; Raiden has no ETH."
    )
    yield ""


def _peer(peer: Peer) -> tuple[str, ...]:
    name = f"**{peer.name}**" if peer.name == _OURS else peer.name
    numbers = (peer.happy, peer.countered, peer.payment, peer.token_close)
    return (name, *map(_number, numbers), peer.source)


def picture(measured: Mapping[str, Any]) -> str:
    """The SVG."""
    ours = _ours(measured["rows"])
    kinds = (("floor", FLOOR), ("ours", ours), *(("peer", peer) for peer in PEERS))

    def bars(field: str) -> list[Bar]:
        found = ((kind, peer.name, getattr(peer, field)) for kind, peer in kinds)
        return [bar for bar in found if bar[2] is not None]

    return draw(
        (
            ("Happy life: both deposit, one transaction closes (ETH, gas)", bars("happy")),
            ("Countered dispute (ETH, gas)", bars("countered")),
            ("Dispute about a payment or sub-channel (ETH, gas)", bars("payment")),
        )
    )


# -- every row -----------------------------------------------------------------------------------


def _groups(rows: Mapping[str, Any]) -> Iterator[str]:
    yield "## Every row"
    yield ""
    for group in dict.fromkeys(row.group for row in ROWS.values()):
        yield f"### {group}"
        yield ""
        members = (row for row in ROWS.values() if row.group == group and row.asset != TOKEN_NAME)
        lines = (line for row in members for line in _row(row, rows))
        yield from _table("row|step|ETH|ERC-20", lines, range(2, 4))
        if group == "Disputes":
            yield _per_item(rows["settle-many"])
            yield ""


def _row(row: Row, rows: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    steps, token_steps = rows[row.name], rows.get(f"{row.name}-erc20", {})
    title = f"**{row.title}.** {row.about}"
    for step, gas in steps.items():
        yield title, step, _number(gas), _number(token_steps.get(step))
        title = ""
    if row.group == "Whole lives":
        token_total = sum(token_steps.values()) or None
        yield "", "*sum*", f"**{sum(steps.values()):,}**", _number(token_total)


def _per_item(steps: Mapping[str, int]) -> str:
    each = (steps["of 10"] - steps["of 1"]) / 9
    return (
        f"Each further item of `settleMany` that pays two accounts costs {each:,.0f}; "
        f"a transaction of its own would cost {steps['of 1']:,}."
    )


def _deployments(deployments: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "### Deployment"
    yield ""
    yield "Once per chain. A contract's code may have 24,576 bytes (EIP-170)."
    yield ""
    lines = (
        (
            name,
            _number(entry["gas"]),
            _number(entry["runtime_bytes"]),
            _number(entry["creation_bytes"]),
        )
        for name, entry in deployments.items()
    )
    yield from _table("contract|gas|runtime bytes|creation bytes", lines, range(1, 4))


# -- how it is measured --------------------------------------------------------------------------


def _method(seeds: int) -> Iterator[str]:
    yield f"""## How it is measured

- Rules of prague; solc, optimizer and settings as in `populus.json`, the same that are deployed.
- Gas of the receipt: with the 21,000 of a transaction, calldata and refunds, one transaction per
  block.
- All accounts exist and have ETH and tokens. Deposits are 1 ETH or 10^18 units of OpenZeppelin's
  plain ERC-20, approved once without limit (`approve` is not counted). The contract holds other
  channels' money. Session keys differ from accounts.
- Zero bytes in calldata cost 4 or 10 gas where others cost 16 or 40, so every input is fixed:
  private keys, nonces and salts are hashes of fixed words (`benchmarks/gas/bench.py`), signatures
  are deterministic (RFC 6979), contracts are deployed by one such key, the chain id is eth-tester's
  on anvil too, each row starts from the same prepared chain, and each block gets the time of the
  one before it plus 12 seconds, counted from 0x77777777 (2033), later than the clock of a node
  that insists on it.
- The last three columns of the budgets come from seeds 1 to {seeds}, which change all of that; the
  table itself is seed 0.

```
python -m benchmarks.gas --write    # measure, write the JSON files, this page and its picture
python -m benchmarks.gas --check    # measure, compare, show what differs
python -m benchmarks.gas --check --node anvil
```

Numbers: [`benchmarks/gas/gas.json`](../benchmarks/gas/gas.json), by seed
[`benchmarks/gas/spread.json`](../benchmarks/gas/spread.json). A change that costs gas changes
the first of them.
"""
