"""`perun exit`: shows what the chain owes and what it costs to get, then gets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import click
from rich.console import Console
from rich.table import Table
from web3.types import TxParams

from perun.chain import SqliteJournal, connect
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Dropped, NonceTaken, Paid, Refused, Report, Sent, TooPoor
from perun.chain.submitter import Account
from perun.cli.keys import password_for
from perun.cli.render import amount, clock, ether, short
from perun.errors import BrokenInvariant, ChainFault, Misuse
from perun.node.backup import config_of, require_store
from perun.node.exit import Exit, Plan, only_leaving
from perun.node.profile import Profile, read_keyfile_text, read_profile
from perun.node.solitary import Solitary
from perun.store import SqliteStore
from perun.types import Address
from perun.wallet import KeyAccount, KeyfileError, decrypt, read_keyfile

__all__ = ["leave", "run"]

_ROUND_SECONDS: Final = 4.0


@dataclass(eq=False)
class WrongChain(Misuse):
    """The node is of another chain than the store."""

    found: int
    wanted: int

    template: ClassVar[str] = "the node is on chain {found}, the store belongs to chain {wanted}"
    hint: ClassVar[str] = "give the address of a node of that chain"


@dataclass(eq=False)
class TooDear(Misuse):
    """Getting it costs more than it brings (wei)."""

    cost: int
    brought: int

    template: ClassVar[str] = "getting it may cost {cost} wei and brings {brought} wei"
    hint: ClassVar[str] = "wait for cheaper gas, or give --at-a-loss"


class _Onlooker:
    """An account that only looks."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """Never: a dry run sends nothing."""
        raise BrokenInvariant(f"a dry run was about to send to {params.get('to')!r}")


@click.command("exit")
@click.argument("store", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rpc", required=True, help="Address of any Ethereum node: http://…")
@click.option("--dry-run", is_flag=True, help="Only show; needs no key and sends nothing.")
@click.option(
    "--keyfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The account's encrypted key, if the store does not carry it.",
)
@click.option("--no-wait", is_flag=True, help="Do what can be done now, and end.")
@click.option("--at-a-loss", is_flag=True, help="Go on even if it costs more than it brings.")
def leave(
    store: Path,
    rpc: str,
    dry_run: bool,
    keyfile: Path | None,
    no_wait: bool,
    at_a_loss: bool,
) -> None:
    """Get everything out that the chain owes, alone, from STORE or a backup of it.

    Run it again whenever you like: it goes on where the chain stands. The password of the key is
    asked for, or taken from PERUN_PASSWORD.
    """
    console = Console()
    require_store(store)
    opened = SqliteStore(store)
    try:
        profile = read_profile(opened)
        account: Account = (
            _Onlooker(profile.account) if dry_run else _account(opened, profile, keyfile)
        )
        endpoint = connect(rpc)
        if endpoint.chain_id != profile.chain_id:
            raise WrongChain(endpoint.chain_id, profile.chain_id)
        endpoint.require(profile.deployment)
        journal: Journal = MemoryJournal() if dry_run else SqliteJournal(store, profile.account)
        solitary = Solitary(
            config_of(profile),
            opened,
            endpoint,
            account,
            allowed=(lambda _: False) if dry_run else only_leaving,
            journal=journal,
            since=profile.since,
            report=lambda report: _say(console, report),
        )
        leaving = Exit(solitary, profile.account)
        if dry_run:
            _show(console, leaving.look())
        else:
            run(leaving, console, wait=None if no_wait else time.sleep, at_a_loss=at_a_loss)
    finally:
        opened.close()


def _account(store: SqliteStore, profile: Profile, keyfile: Path | None) -> KeyAccount:
    if keyfile is not None:
        key = read_keyfile(keyfile, password_for(str(keyfile)))
    else:
        text = read_keyfile_text(store)
        if text is None:
            raise KeyfileError("the store carries no key; give --keyfile")
        key = decrypt(text, password_for("the store's key"))
    if key.address != profile.account:
        raise KeyfileError(f"the key is of {short(key.address)}, not of the store's account")
    return KeyAccount(key)


def run(
    leaving: Exit,
    console: Console,
    *,
    wait: Callable[[float], None] | None,
    at_a_loss: bool = False,
) -> None:
    """Rounds until nothing is owed.

    Args:
        wait: how to let time pass between rounds; None: one round only.
    """
    plan = leaving.look()
    _show(console, plan)
    if plan.empty and not leaving.waiting:
        return
    if plan.cost > plan.brings and plan.only_ether and not at_a_loss:
        raise TooDear(plan.cost, plan.brings)
    while True:
        try:
            plan = leaving.go()
        except ChainFault as fault:
            if not fault.retry or wait is None:
                raise
            console.print(f"[yellow]{fault}[/]")
            wait(_ROUND_SECONDS)
            continue
        if plan.empty and not leaving.waiting:
            console.print("[bold green]Everything is out.[/]")
            return
        if wait is None:
            last = max((claim.until for claim in plan.claims), default=None)
            if last is not None:
                console.print(f"Run it again; all can be had by {clock(last)} UTC.")
            return
        wait(_ROUND_SECONDS)


def _show(console: Console, plan: Plan) -> None:
    if plan.empty:
        console.print("Nothing is owed.")
        return
    table = Table(title="What the chain owes", title_justify="left")
    for heading in ("channel", "stands", "ours", "by (UTC)", "gas"):
        table.add_column(heading)
    for claim in plan.claims:
        table.add_row(
            short(claim.channel),
            claim.phase.value,
            amount(claim.asset, claim.amount),
            clock(claim.until),
            f"{claim.gas:,}",
        )
    for asset, units in plan.credits:
        table.add_row("credit", "", amount(asset, units), "now", "")
    console.print(table)
    console.print(f"It costs at most {plan.gas:,} gas, {ether(plan.cost)} ETH at today's price.")


def _say(console: Console, report: Report) -> None:
    """What happens to our transactions, one line each."""
    match report:
        case Sent():
            console.print(f"sent {short(report.hash)}, nonce {report.nonce}")
        case Paid():
            did = "done" if report.succeeded else "[red]reverted[/]"
            console.print(f"{report.kind} {did}: {report.gas_used:,} gas, {ether(report.paid)} ETH")
        case TooPoor():
            console.print(
                f"[red]The account has {ether(report.balance)} ETH, "
                f"{ether(report.needed)} are needed.[/]"
            )
        case Refused() | Dropped():
            console.print(f"[yellow]{report.reason}[/]")
        case NonceTaken():
            console.print("[yellow]Another program sends from this account.[/]")
        case _:
            console.print(str(report))
