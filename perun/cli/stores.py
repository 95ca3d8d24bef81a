"""`perun backup` and `perun status`: about a store, without a chain."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from perun.cli.render import amount, console, say, short
from perun.core.rules.phases import Phase, phase
from perun.core.states.content import agreed_content, agreed_version
from perun.core.states.valuation import alone, balance
from perun.crypto.interop import checksum
from perun.node.backup import back_up, open_copy
from perun.types import Wei

__all__ = ["COMMANDS", "backup", "status"]

_OURS = ("have", "guaranteed", "alone")
"""What is ours: in all, at the worst of all we have signed, and if nobody signs anything more."""

_STORE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("store", type=_STORE)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(store: Path, file: Path) -> None:
    """Copy STORE to FILE, also while its node is running.

    A backup gets the money out (`perun exit FILE --rpc URL`) but signs nothing new: it may be old.
    """
    back_up(store, file)
    click.echo(f"{file}: everything in {store}, exit only")


@click.command()
@click.argument("store", type=_STORE)
def status(store: Path) -> None:
    """Show what STORE knows, as of the last block that its node has seen."""
    profile, books = open_copy(store)
    table = Table()
    for heading in ("channel", "peer", "phase", "version", "locked in", *_OURS):
        table.add_column(heading)
    for view in books.channels.values():
        now, ours = phase(view, books.chain), balance(books, view)
        worth = (ours.free + ours.locked, ours.guaranteed, alone(books, view))
        table.add_row(
            short(view.id),
            short(view.peer),
            now.value,
            str(agreed_version(view)),
            f"{len(agreed_content(view)[1])} nanos",
            *("" if now is Phase.ENDED else amount(view.channel.asset, Wei(one)) for one in worth),
        )
    shown = console()
    say(shown, f"Account {checksum(profile.account)} on chain {profile.chain_id}")
    shown.print(table)


COMMANDS = (backup, status)
