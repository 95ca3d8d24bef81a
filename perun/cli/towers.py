"""`perun towers`: those that watch for a node of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from perun.api.client import Node
from perun.cli.asking import JSON, command, print_json, show_table, table, time_of
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.render import console, plain, say
from perun.daemon.settings import FILE_NAME, BadSettings, read_settings, write_settings
from perun.encoding.addresses import NodeAddress, parse_host

__all__ = ["COMMANDS", "towers"]


@click.group(invoke_without_command=True)
@HOME_OPTION
@JSON
@click.pass_context
def towers(context: click.Context, home: Path, as_json: bool) -> None:
    """Who watches for this node while it is offline."""
    if context.invoked_subcommand is None:
        context.invoke(listed, home=home, as_json=as_json)


@command("list")
@JSON
def listed(node: Node, as_json: bool) -> None:
    """Show the towers, and what they have acknowledged."""
    found = node.towers()
    if as_json:
        print_json(found)
        return
    shown = table("tower", "channels", "sees (UTC)", "trouble")
    for one in found:
        sees = time_of(one.sees) if one.sees else "nothing yet"
        shown.add_row(plain(one.name), str(one.channels), sees, plain(one.trouble))
    show_table(shown, "Nobody watches: perun towers add ADDRESS")


towers.add_command(listed)


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

    def without(had: tuple[str, ...]) -> tuple[str, ...]:
        if address not in had:
            named = ", ".join(had) or "none"
            raise BadSettings(address, f"is no tower of this node; there are: {named}")
        return tuple(one for one in had if one != address)

    _change(home, without)


def _change(home: Path, new: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    file = home_of(home) / FILE_NAME
    settings = read_settings(file, {})
    addresses = new(settings.tower.addresses)
    write_settings(file, replace(settings, tower=replace(settings.tower, addresses=addresses)))
    named = ", ".join(addresses) or "nobody"
    say(console(), f"From the node's next start: {named} watches.")


COMMANDS: Final = (towers,)
