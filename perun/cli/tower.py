"""`perun export` and `perun watch`: what a watchtower is given, and the tower."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from perun.chain import SqliteJournal, connect
from perun.chain.reports import Paid, Refused, Report, Sent, TooPoor
from perun.cli.keys import password_for
from perun.cli.render import clock, ether, short
from perun.core.books import Row
from perun.core.notices import ChannelDisputed, ChannelEnded, Notice
from perun.crypto.interop import checksum
from perun.errors import ChainFault
from perun.node.backup import open_copy
from perun.node.export import BadExport, read_export, write_export
from perun.node.watchtower import Watchtower
from perun.wallet import KeyAccount, read_keyfile

__all__ = ["export", "watch"]

_ROUND_SECONDS: Final = 4.0


@click.command()
@click.argument("store", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(store: Path, file: Path) -> None:
    """Write to FILE what a watchtower needs to defend STORE: signatures, and no key.

    Make it again after payments, also while the node runs: a tower reads the new file by itself.
    """
    profile, books = open_copy(store)
    rows: list[Row] = [*books.channels.values(), *books.instances.values()]
    rows += books.totals.values()
    write_export(file, profile, rows)
    click.echo(f"{file}: {len(books.channels)} channels, no key")


@click.command()
@click.argument("export", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rpc", required=True, help="Address of any Ethereum node: http://…")
@click.option(
    "--keyfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The tower's own account, which pays for answers.",
)
@click.option("--rounds", type=click.IntRange(1), help="End after so many looks at the chain.")
def watch(export: Path, rpc: str, keyfile: Path, rounds: int | None) -> None:
    """Answer stale registrations and submissions for the owner of EXPORT.

    The tower holds no key of the owner and can send money nowhere but where both have signed.
    """
    console = Console()
    account = KeyAccount(read_keyfile(keyfile, password_for(str(keyfile))))
    endpoint = connect(rpc)
    endpoint.require(read_export(export).profile.deployment)
    tower = Watchtower(
        export,
        endpoint,
        account,
        # What it has sent, so that a restarted tower raises its bids instead of queueing behind.
        journal=SqliteJournal(export.with_name(export.name + ".sent"), account.address),
        report=lambda report: _say(console, report),
        notify=lambda notice: _tell(console, notice),
    )
    console.print(f"Watching {tower.channels} channels, answering as {checksum(account.address)}.")
    done = 0
    while rounds is None or done < rounds:
        if done:
            time.sleep(_ROUND_SECONDS)
        done += 1
        try:
            tower.round()
        except ChainFault as fault:
            # The next round starts over; a tower does not give up.
            console.print(f"[yellow]{fault}[/]")
        except BadExport as fault:
            console.print(f"[yellow]{fault}; watching what was read before[/]")


def _say(console: Console, report: Report) -> None:
    match report:
        case Sent():
            console.print(f"answer sent: {short(report.hash)}")
        case Paid():
            console.print(f"{report.kind} is final: {ether(report.paid)} ETH")
        case TooPoor():
            console.print(f"[red]The tower's account needs {ether(report.needed)} ETH.[/]")
        case Refused():
            console.print(f"[yellow]{report.reason}[/]")
        case _:
            pass


def _tell(console: Console, notice: Notice) -> None:
    match notice:
        case ChannelDisputed():
            console.print(
                f"{short(notice.channel)} is in dispute with version {notice.version}, "
                f"ours is {notice.own_version}, until {clock(notice.deadline)}"
            )
        case ChannelEnded():
            console.print(f"{short(notice.channel)} has ended")
        case _:
            pass
