"""`perun backup` and `perun status`: about a store, without a chain; and a place for backups."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click
from rich.table import Table

from perun.backup.service import BackupService
from perun.cli.render import amount, console, say, short
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

_STORE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Backup(click.Group):
    """`perun backup STORE FILE` copies; `perun backup serve` is a word of its own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            return "copy", copy, args
        return super().resolve_command(ctx, args)


@click.group(cls=_Backup)
def backup() -> None:
    """Copy a store: perun backup STORE FILE. Or keep the backups of others: perun backup serve."""


@backup.command("copy", hidden=True)
@click.argument("store", type=_STORE)
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
@click.option("--tls-certificate", type=_STORE, help="Needed where others can reach it …")
@click.option("--tls-key", type=_STORE)
@click.option("--proxy", is_flag=True, help="… unless a proxy of yours in front has TLS.")
def serve(
    folder: Path, listen: str, tls_certificate: Path | None, tls_key: Path | None, proxy: bool
) -> None:
    """Keep backups of whoever brings them, in FOLDER; it can read none of them."""
    bind, port = place_of(listen)
    tls = tls_of(listen, tls_certificate, tls_key, proxied=proxy)
    asyncio.run(_serve(folder, Listener(bind, port, tls=tls, proxied=proxy)))


async def _serve(folder: Path, listener: Listener) -> None:
    service = BackupService(folder, listener.address_of_request)
    service.add_to(listener.app)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    await listener.start()
    try:
        say(console(), f"Keeping backups at {listener.host}, of {service.owners} so far.")
        await ending.wait()
    finally:
        await listener.stop()
        service.close()


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
