"""`perun demo`: the story as a timeline with progress, and a table at the end; or as JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import click
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from perun.bindings.failures import NodeUnreachable
from perun.chain.anvil import is_there
from perun.cli import render
from perun.cli.render import clock, ether, plain, say
from perun.demo.chains import CHAINS, open_chain
from perun.demo.stage import Stage
from perun.demo.story import tell_story
from perun.demo.tally import Line, Result
from perun.demo.telling import Act, Note, Tell, Told
from perun.demo.telling import Progress as Paying
from perun.errors import ChainFault

__all__ = ["COMMANDS", "demo", "to_json"]

_PAYMENTS: Final = 10_000
_FAST_PAYMENTS: Final = 1_000


class _ChainGone(ChainFault):
    """The demonstration's chain process ended."""

    template: ClassVar[str] = "the chain process has ended"
    hint: ClassVar[str] = "start the demonstration again; its stores are gone with it"


@click.command()
@click.option(
    "--chain",
    type=click.Choice(CHAINS),
    help="anvil: a node process (npm install @foundry-rs/anvil); tester: embedded, only Python. "
    "If not given: anvil if it is there.",
)
@click.option("--fast", is_flag=True, help="A tenth of the payments.")
@click.option("--json", "as_json", is_flag=True, help="Only the result, as JSON; wei everywhere.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
def demo(chain: str | None, fast: bool, as_json: bool, seed: int) -> None:
    """Alice, Bob and the hub Ingrid live through a whole life of channels.

    Each is a node with its own store. Exit code 1 if a single wei is missing at the end.
    """
    console = render.console(quiet=as_json)
    if chain is None:
        chain = "anvil" if is_there() else "tester"
    with _timeline(console) as tell:
        result = _play(chain, _FAST_PAYMENTS if fast else _PAYMENTS, seed, tell)
    if as_json:
        click.echo(json.dumps(to_json(result), indent=2))
    else:
        _close(console, result)
    if not result.right:
        raise click.exceptions.Exit(1)


def _play(chain: str, payments: int, seed: int, tell: Tell) -> Result:
    with (
        open_chain(chain) as world,
        tempfile.TemporaryDirectory(prefix="perun-demo-", ignore_cleanup_errors=True) as folder,
    ):
        try:
            stage = Stage(world, Path(folder), seed)
            return replace(tell_story(stage, payments, tell), chain=chain)
        except NodeUnreachable as error:
            raise _ChainGone from error


@contextmanager
def _timeline(console: Console) -> Iterator[Tell]:
    """Prints what is told; payments as a bar."""
    bar = Progress(
        TextColumn("             {task.description}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        console=console,
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def tell(told: Told) -> None:
        match told:
            case Act(number, title):
                tasks.clear()
                console.print()
                say(console, f"{number}. {title}", "bold cyan")
            case Note(time, block, who, text):
                when = clock(time)[11:]
                row = Table.grid(padding=(0, 1))
                for width, style in ((1, ""), (8, "dim"), (4, "dim"), (6, "bold")):
                    row.add_column(width=width, style=style)
                row.add_column()
                row.add_row("", when, f"#{block}", who, plain(text))
                console.print(row)
            case Paying(done, total, what):
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, visible=done < total)
            case _:
                raise AssertionError

    with bar:
        yield tell


def _close(console: Console, result: Result) -> None:
    table = Table(title="What it came to, in ETH", title_justify="left")
    table.add_column("")
    for line in result.lines:
        table.add_column(line.name, justify="right")
    rows: tuple[tuple[str, Callable[[Line], str]], ...] = (
        ("deposited", lambda line: ether(line.deposited)),
        ("paid", lambda line: ether(line.paid)),
        ("  in payments", lambda line: f"{line.payments_sent:,}"),
        ("received", lambda line: ether(line.received)),
        ("  in payments", lambda line: f"{line.payments_received:,}"),
        ("fees of the hub", lambda line: ether(line.fees_earned - line.fees_paid)),
        ("for gas", lambda line: ether(line.gas_cost)),
        ("  gas used", lambda line: f"{line.gas_used:,}"),
        ("account before", lambda line: ether(line.before)),
        ("account after", lambda line: ether(line.after)),
        ("missing", lambda line: f"{line.missing} wei"),
    )
    for heading, cell in rows:
        table.add_row(heading, *map(cell, result.lines))
    console.print()
    console.print(table)
    console.print(
        f"{result.payments:,} payments, {result.gas_used:,} gas ({ether(result.gas_cost)} ETH) "
        f"for everything.\n"
        f"As transfers on chain they would have cost {result.on_chain_gas:,} gas "
        f"({ether(result.on_chain_cost)} ETH).\n"
        f"The hub signed {result.hub_signatures_during_payments} times while others paid over her; "
        f"the contract is left with {result.left_in_contract} wei."
    )
    if result.right:
        say(console, "Not a wei is missing.", "bold green")
    else:
        say(console, "Money is missing. Please report it with the seed.", "bold red")


def to_json(result: Result) -> dict[str, Any]:
    """The result as JSON has it: integers, wei and gas; the same for the same seed."""
    return {
        "chain": result.chain,
        "seed": result.seed,
        "right": result.right,
        "payments": result.payments,
        "parties": {line.name: _party(line) for line in result.lines},
        "left_in_contract": result.left_in_contract,
        "hub_signatures_during_payments": result.hub_signatures_during_payments,
        "gas_used": result.gas_used,
        "gas_cost": result.gas_cost,
        "on_chain_gas": result.on_chain_gas,
        "on_chain_cost": result.on_chain_cost,
    }


def _party(line: Line) -> dict[str, int]:
    fields = {name: getattr(line, name) for name in line.__struct_fields__ if name != "name"}
    return {**fields, "missing": line.missing}


COMMANDS = (demo,)
