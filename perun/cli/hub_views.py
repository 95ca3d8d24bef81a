"""What `perun hub` prints."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
import msgspec
from rich.table import Table

from perun.cli.render import amount, console, say, short
from perun.hub.audit import Audit, Totals
from perun.types import ETH, Asset, Wei

__all__ = ["print_audit"]

_ROWS = (
    ("account", "account"),
    ("credit", "credit"),
    ("deposits", "ours in channels"),
    ("moved", "moved to us by states"),
    ("reserved", "of it locked"),
    ("peers", "others' in channels"),
    ("fees", "fees earned"),
    ("gas", "gas spent"),
    ("from_outside", "sent to us by others"),
)


def print_audit(found: Audit, *, as_json: bool) -> None:
    """A table for each asset, and what does not add up."""
    if as_json:
        click.echo(msgspec.json.encode(_plain(found)).decode())
        return
    shown = console()
    for asset, totals in found.totals.items():
        shown.print(_table(asset, totals))
    for note in found.notes:
        say(shown, note, "yellow")
    for check in found.wrong:
        difference = check.ours - check.theirs
        say(shown, f"WRONG by {difference}: {check.what}: {check.ours} and {check.theirs}", "red")
    verdict = "adds up" if found.holds else "does not add up"
    say(
        shown,
        f"{len(found.checks)} comparisons over {found.channels} channels, "
        f"up to block {found.block}: it {verdict}.",
        "green" if found.holds else "bold red",
    )


def _table(asset: Asset, totals: Totals) -> Table:
    table = Table("ETH" if asset == ETH else short(asset), "amount", "smallest units")
    for name, text in _ROWS:
        value = getattr(totals, name)
        table.add_row(text, amount(asset, Wei(value)), f"{value:,}")
    return table


def _plain(found: Audit) -> dict[str, Any]:
    return {
        "holds": found.holds,
        "block": found.block,
        "channels": found.channels,
        "comparisons": len(found.checks),
        "wrong": [
            {"what": check.what, "ours": str(check.ours), "theirs": str(check.theirs)}
            for check in found.wrong
        ],
        "notes": found.notes,
        "totals": {
            "0x" + asset.hex(): {k: str(v) for k, v in dataclasses.asdict(totals).items()}
            for asset, totals in found.totals.items()
        },
    }
