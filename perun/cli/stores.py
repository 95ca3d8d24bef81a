"""`perun backup` and `perun status`: about a store, without a chain."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from perun.cli.render import amount, console, say, short
from perun.core.rules.phases import Phase, phase
from perun.core.states.content import agreed_content, agreed_version
from perun.crypto.interop import checksum
from perun.node.backup import back_up, open_copy
from perun.node.owed import claims
from perun.types import Wei

__all__ = ["COMMANDS", "backup", "status"]

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
    for heading in ("channel", "peer", "phase", "version", "locked in", "ours"):
        table.add_column(heading)
    owed = {claim.channel: claim.amount for claim in claims(books)}
    for view in books.channels.values():
        now = phase(view, books.chain)
        asset = view.channel.asset
        table.add_row(
            short(view.id),
            short(view.peer),
            now.value,
            str(agreed_version(view)),
            f"{len(agreed_content(view)[1])} nanos",
            "" if now is Phase.ENDED else amount(asset, owed.get(view.id, Wei(0))),
        )
    shown = console()
    say(shown, f"Account {checksum(profile.account)} on chain {profile.chain_id}")
    shown.print(table)


COMMANDS = (backup, status)
