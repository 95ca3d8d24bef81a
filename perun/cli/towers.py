"""`perun towers`: those that watch for a node of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace
from rich.table import Table

from perun.api.client import connect
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.render import clock, console, plain, say
from perun.daemon.settings import FILE_NAME, read_settings, write_settings
from perun.encoding.addresses import NodeAddress, parse_host
from perun.types import UnixTime

__all__ = ["COMMANDS", "towers"]


@click.group()
def towers() -> None:
    """Who watches for this node while it is offline."""


@towers.command("list")
@HOME_OPTION
def listed(home: Path) -> None:
    """Show the towers, and what they have acknowledged."""
    table = Table()
    for heading in ("tower", "channels", "sees", "trouble"):
        table.add_column(heading)
    node = connect(home=home_of(home))
    try:
        for one in node.towers():
            sees = clock(UnixTime(one.sees)) if one.sees else "nothing yet"
            table.add_row(plain(one.name), str(one.channels), sees, plain(one.trouble))
    finally:
        node.hang_up()
    console().print(table)


@towers.command("add")
@click.argument("address")
@HOME_OPTION
def add(address: str, home: Path) -> None:
    """Have the tower at ADDRESS watch, from the node's next start."""
    # Read for its sake: what is mistyped is refused here.
    _ = NodeAddress.parse(address) if "@" in address else parse_host(address)
    _change(home, lambda had: (*(one for one in had if one != address), address))


@towers.command("remove")
@click.argument("address")
@HOME_OPTION
def remove(address: str, home: Path) -> None:
    """Tell the tower at ADDRESS nothing more; what it has it goes on watching."""
    _change(home, lambda had: tuple(one for one in had if one != address))


def _change(home: Path, new: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    file = home_of(home) / FILE_NAME
    settings = read_settings(file, {})
    addresses = new(settings.tower.addresses)
    write_settings(file, replace(settings, tower=replace(settings.tower, addresses=addresses)))
    named = ", ".join(addresses) or "nobody"
    say(console(), f"From the node's next start: {named} watches.")


COMMANDS: Final = (towers,)
