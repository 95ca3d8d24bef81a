"""`perun nano`: rules of games of your own, from the first file to what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from perun.cli.outcome import FAILED
from perun.cli.render import console, say
from perun.errors import show
from perun.nano import Report, check, create, rules_of
from perun.nano.check import EFFORT
from perun.referee import RULES_GAS

__all__ = ["COMMANDS", "nano"]

_HERE = click.Path(file_okay=False, path_type=Path)


@click.group()
def nano() -> None:
    """Write rules of a game: one file of Solidity, and how it looks."""


@nano.command("new")
@click.argument("name")
@click.option("--in", "folder", type=_HERE, default=".", help="Where; this folder if not given.")
def new(name: str, folder: Path) -> None:
    """Begin a game called NAME, such as MyGame: a folder with rules that already work."""
    to = console()
    for path in create(folder, name):
        say(to, path)
    say(to, f"Change them, and see what is wrong: cd {folder / name} && perun nano check {name}")


@nano.command("check")
@click.argument("name")
@click.option("--in", "folder", type=_HERE, default=".", help="The project's folder.")
@click.option("--rpc", default="", help="A node of the chain, if NAME is an address.")
@click.option("--effort", default=EFFORT, show_default=True, help="How often the rules are asked.")
@click.option("--seed", type=int, help="Of the games at random, to play them again.")
def check_rules(name: str, folder: Path, rpc: str, effort: int, seed: int | None) -> None:
    """Search the rules NAME for what they may not do, and say what a game by them needs.

    NAME is a contract of the project, a file of bytecode in hex, the address of a contract, or
    rules of this package. Exit code 1: nobody should play by them.
    """
    report = check(rules_of(name, folder, rpc), effort=effort, seed=seed)
    to = console()
    for line in _lines(report):
        say(to, line)
    for fault in report.faults:
        say(to, f"WRONG   {fault}", "bold red")
    if report.faults:
        sys.exit(FAILED)
    say(to, "Nothing wrong was found.", "bold")


COMMANDS = (nano,)


def _lines(report: Report) -> list[str]:
    lines = [f"rules   {report.name}, {len(report.code):,} bytes, hash {show(report.code_hash)}"]
    limits, found = report.limits, report.found
    if limits is not None:
        lines.append(
            f"limits  at most {limits.moves:,} moves; positions of {limits.position_bytes:,} bytes,"
            f" moves of {limits.move_bytes:,}"
        )
    if found is not None:
        seen = (
            f"every position, {found.positions:,} of them"
            if found.whole
            else f"{found.games:,} games at random, {found.positions:,} positions"
        )
        lines.append(f"search  {seen}; the longest game had {found.longest:,} moves")
        share = 100 * found.gas / (RULES_GAS // 2)
        lines.append(f"gas     {found.gas:,} at most for a move, {share:.1f} % of what is allowed")
        lines.append(f"bank    {report.bank:,} s at least on each clock")
    return lines + [f"note    {note}" for note in report.notes]
