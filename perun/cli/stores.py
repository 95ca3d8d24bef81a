"""`perun backup` and `perun status`: about a store, without a chain; and a place for backups."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from perun.api.client import Node
from perun.backup.service import BackupService
from perun.cli.asking import JSON, command, print_json, show_table, table
from perun.cli.homes import HOME_OPTION
from perun.cli.looking import balance as balance_of_node
from perun.cli.render import amount, console, plain, say, short
from perun.cli.serving import FILE, live, with_tls
from perun.core.rules.phases import Phase, phase
from perun.core.states.content import agreed_content, agreed_version
from perun.core.states.valuation import alone, balance
from perun.crypto.interop import checksum
from perun.daemon.places import place_of, tls_of
from perun.node.backup import back_up, open_copy
from perun.types import Wei
from perun.wire.listener import Listener

__all__ = ["COMMANDS", "backup", "status"]

_OURS = ("have", "guaranteed", "alone")
"""What is ours: in all, at the worst of all we have signed, and if nobody signs anything more."""


class _Backup(click.Group):
    """`perun backup STORE FILE` copies; `perun backup serve` is a word of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            return "copy", copy, args
        return super().resolve_command(ctx, args)


@click.group(cls=_Backup, invoke_without_command=True)
@HOME_OPTION
@JSON
@click.pass_context
def backup(context: click.Context, home: Path, as_json: bool) -> None:
    """Show where the node is backed up. Or copy a store: perun backup STORE FILE; or keep those of
    others: perun backup serve."""
    if context.invoked_subcommand is None:
        context.invoke(backup_list, home=home, as_json=as_json)


@command("list")
@JSON
def backup_list(node: Node, as_json: bool) -> None:
    """Show where the node is backed up, and how far."""
    found = node.backups()
    if as_json:
        print_json(found)
        return
    shown = table("place", "has entry", "of", "heard of", "trouble")
    for one in found:
        heard = "not yet" if one.age is None else f"{one.age} s ago"
        shown.add_row(plain(one.name), str(one.entry), str(one.of), heard, plain(one.trouble))
    show_table(shown, "Nowhere: name places in [backup] of perun.toml, and start the node again.")


backup.add_command(backup_list)


@backup.command("copy", hidden=True)
@click.argument("store", type=FILE)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def copy(store: Path, file: Path) -> None:
    """Copy STORE to FILE, also while its node is running.

    A backup gets the money out (`perun exit FILE --rpc URL`) but signs nothing new: it may be old.
    """
    back_up(store, file)
    click.echo(f"{file}: everything in {store}, exit only")


@backup.command("serve")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--listen", default="127.0.0.1:7072", show_default=True, help="Where to be asked.")
@with_tls
def serve(
    folder: Path, listen: str, tls_certificate: Path | None, tls_key: Path | None, proxy: bool
) -> None:
    """Keep backups of whoever brings them, in FOLDER; it can read none of them."""
    bind, port = place_of(listen)
    tls = tls_of(listen, tls_certificate, tls_key, proxied=proxy)
    listener = Listener(bind, port, tls=tls, proxied=proxy)
    service = BackupService(folder, listener.address_of_request)
    service.add_to(listener.app)
    live(
        listener,
        lambda: say(console(), f"Keeping backups at {listener.host}, of {service.owners} so far."),
        service.close,
    )


@click.command()
@click.argument("store", type=FILE, required=False)
@HOME_OPTION
@JSON
@click.pass_context
def status(context: click.Context, store: Path | None, home: Path, as_json: bool) -> None:
    """Show how the node stands; or what STORE knows, as of the last block that it has seen."""
    if store is None:
        context.invoke(balance_of_node, home=home, as_json=as_json)
        return
    profile, books = open_copy(store)
    rows = Table()
    for heading in ("channel", "peer", "phase", "version", "locked in", *_OURS):
        rows.add_column(heading)
    for view in books.channels.values():
        now, ours = phase(view, books.chain), balance(books, view)
        worth = (ours.free + ours.locked, ours.guaranteed, alone(books, view))
        rows.add_row(
            short(view.id),
            short(view.peer),
            now.value,
            str(agreed_version(view)),
            f"{len(agreed_content(view)[1])} nanos",
            *("" if now is Phase.ENDED else amount(view.channel.asset, Wei(one)) for one in worth),
        )
    shown = console()
    say(shown, f"Account {checksum(profile.account)} on chain {profile.chain_id}")
    shown.print(rows)


COMMANDS = (backup, status)
