"""`perun export` and `perun watch`: what a watchtower is given, and the tower."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from perun.chain.journal import Journal
from perun.chain.reports import Blind, Report, SeesAgain
from perun.cli.outcome import BLIND
from perun.cli.passwords import password_for
from perun.cli.reach import RPC_OPTION, reach
from perun.cli.render import clock, console, say, short
from perun.cli.reports import line
from perun.cli.vigil import Vigil
from perun.core.books import Row
from perun.core.notices import ChannelDisputed, ChannelEnded, Notice
from perun.crypto.interop import checksum
from perun.errors import StoreFault
from perun.node.afloat import afloat_journal
from perun.node.backup import open_copy
from perun.node.export import read_export, write_export
from perun.node.watchtower import Watchtower
from perun.wallet import KeyAccount, read_keyfile

__all__ = ["COMMANDS", "export", "watch"]


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
@RPC_OPTION
@click.option(
    "--keyfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The tower's own account, which pays for answers.",
)
@click.option("--rounds", type=click.IntRange(1), help="End after so many looks at the chain.")
@click.option(
    "--end-blind",
    type=click.IntRange(1),
    metavar="SECONDS",
    help="End with exit code 3 after so long without a look that worked; else it never gives up.",
)
def watch(
    export: Path, rpc: tuple[str, ...], keyfile: Path, rounds: int | None, end_blind: int | None
) -> None:
    """Answer stale registrations and submissions for the owner of EXPORT.

    The tower holds no key of the owner and can send money nowhere but where both have signed.
    Exit code 3: it could not see the chain when it ended.
    """
    shown = console(hurried=False)
    account = KeyAccount(read_keyfile(keyfile, password_for(str(keyfile))))
    profile = read_export(export).profile
    # What it has sent, so that a restarted tower raises its bids instead of queueing behind.
    journal = _journal(export.with_name(export.name + ".sent"), account, shown)

    def begin() -> Watchtower:
        tower = Watchtower(
            export,
            reach(rpc, profile),
            account,
            journal=journal,
            report=lambda report: _report(shown, report),
            notify=lambda notice: _tell(shown, notice),
        )
        who = checksum(account.address)
        say(shown, f"Watching {tower.channels} channels, answering as {who}.")
        return tower

    if not Vigil(begin, shown).keep(rounds=rounds, end_blind=end_blind):
        raise click.exceptions.Exit(BLIND)


def _journal(path: Path, account: KeyAccount, shown: Console) -> Journal:
    """In memory if the disk is full, or the file damaged: an answer must not wait for that."""

    def tell(fault: StoreFault) -> None:
        say(shown, f"{fault}; going on without the file: an answer may be sent twice", "red")

    return afloat_journal(path, account.address, tell)[0]


def _report(shown: Console, report: Report) -> None:
    if not isinstance(report, (Blind, SeesAgain)):  # the vigil tells that, and at once
        say(shown, *line(report, "answer"))


def _tell(shown: Console, notice: Notice) -> None:
    match notice:
        case ChannelDisputed():
            say(
                shown,
                f"{short(notice.channel)} is in dispute with version {notice.version}, "
                f"ours is {notice.own_version}, until {clock(notice.deadline)}",
            )
        case ChannelEnded():
            say(shown, f"{short(notice.channel)} has ended")
        case _:
            pass


COMMANDS = (watch, export)
