"""`perun exit`: shows what the chain owes and what it costs to get, then gets it."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, TypeVar

import click
import requests
from rich.console import Console
from rich.table import Table
from web3.types import TxParams

from perun.bindings.failures import NodeUnreachable
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.submitter import Account
from perun.cli.outcome import BLIND, LEFT
from perun.cli.passwords import password_for
from perun.cli.reach import RPC_OPTION, reach
from perun.cli.render import amount, clock, console, ether, say, short
from perun.cli.reports import line
from perun.deployments import WrongCode
from perun.errors import BrokenInvariant, ChainFault, Misuse, StoreFault
from perun.node.afloat import AfloatStore, afloat_journal
from perun.node.backup import back_up, config_of, require_store
from perun.node.exit import Exit, Plan, only_leaving
from perun.node.profile import Profile, read_keyfile_text, read_profile
from perun.node.solitary import Solitary
from perun.store import SqliteStore
from perun.store.faults import StoreFull, StoreReadOnly
from perun.types import Address
from perun.wallet import KeyAccount, KeyfileError, decrypt, read_keyfile

__all__ = ["COMMANDS", "leave", "run"]

T = TypeVar("T")

_ROUND_SECONDS: Final = 4.0
_TRIES: Final = 3
_LOOKS: Final = 50


def _never(_: ChainFault) -> bool:
    return False


def _for_good(fault: ChainFault) -> bool:
    """What a first look may find that no second will change: nobody is there, or another chain."""
    if isinstance(fault, NodeUnreachable):
        return fault.reason == requests.ConnectionError.__name__
    return isinstance(fault, WrongCode)


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
@RPC_OPTION
@click.option("--dry-run", is_flag=True, help="Only show; needs no key and sends nothing.")
@click.option(
    "--keyfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The account's encrypted key, if the store does not carry it.",
)
@click.option("--no-wait", is_flag=True, help="Do what can be done now, and end.")
@click.option("--at-a-loss", is_flag=True, help="Go on even if it costs more than it brings.")
@click.option("--json", "as_json", is_flag=True, help="What is owed in the end, for programs.")
def leave(
    store: Path,
    rpc: tuple[str, ...],
    dry_run: bool,
    keyfile: Path | None,
    no_wait: bool,
    at_a_loss: bool,
    as_json: bool,
) -> None:
    """Get everything out that the chain owes, alone, from STORE or a backup of it.

    Run it again whenever you like: it goes on where the chain stands. The password of the key is
    asked for, or taken from PERUN_PASSWORD.
    """
    shown = console(stderr=as_json, hurried=False)
    require_store(store)
    with _opened(store, shown) as opened:
        profile = read_profile(opened)
        account: Account = (
            _Onlooker(profile.account) if dry_run else _account(opened, profile, keyfile)
        )
        wait = None if dry_run or no_wait else time.sleep
        with _blindness_told(unless=_for_good):
            endpoint = _insist(lambda: reach(rpc, profile), shown, wait, unless=_for_good)
        solitary = Solitary(
            config_of(profile),
            AfloatStore(opened, lambda fault: _no_disk(shown, fault)),
            endpoint,
            account,
            allowed=(lambda _: False) if dry_run else only_leaving,
            journal=MemoryJournal() if dry_run else _journal(opened.path, profile, shown),
            since=profile.since,
            report=lambda report: say(shown, *line(report)),
        )
        leaving = Exit(solitary, profile.account)
        with _blindness_told():
            if dry_run:
                code = look(leaving, shown)
            else:
                code = run(leaving, shown, wait=wait, at_a_loss=at_a_loss)
        if as_json and leaving.plan is not None:
            click.echo(json.dumps(_plain(leaving, leaving.plan), indent=2))
        if code:
            raise click.exceptions.Exit(code)


@contextmanager
def _opened(path: Path, shown: Console) -> Iterator[SqliteStore]:
    """The store; where its medium takes nothing, a copy that is thrown away."""
    with ExitStack() as stack:
        try:
            opened = SqliteStore(path)
        except (StoreReadOnly, StoreFull) as fault:
            _no_disk(shown, fault)
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "copy"
            back_up(path, copy)
            opened = SqliteStore(copy)
        yield stack.enter_context(closing(opened))


@contextmanager
def _blindness_told(unless: Callable[[ChainFault], bool] = _never) -> Iterator[None]:
    """A node that failed too often ends a command with an exit code of its own."""
    try:
        yield
    except ChainFault as fault:
        if unless(fault):
            raise
        say(console(stderr=True), f"Error: {fault}", "red")
        raise click.exceptions.Exit(BLIND) from fault


def _journal(store: Path, profile: Profile, shown: Console) -> Journal:
    """What the node has sent; in memory if the disk takes nothing more."""
    return afloat_journal(store, profile.account, lambda fault: _no_disk(shown, fault))[0]


def _no_disk(shown: Console, fault: StoreFault) -> None:
    say(shown, f"{fault}; going on without the disk: what is sent may be sent twice", "red")


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


def look(leaving: Exit, console: Console) -> int:
    """Shows what is owed; the exit code."""
    plan = _insist(leaving.look, console, None)
    for _ in range(_LOOKS):
        if plan.sure:
            break
        # Some nodes tell the past in small pieces.
        plan = _insist(leaving.look, console, None)
    _show(console, plan, leaving)
    return 0 if plan.sure else BLIND


def run(
    leaving: Exit,
    console: Console,
    *,
    wait: Callable[[float], None] | None,
    at_a_loss: bool = False,
) -> int:
    """Rounds until nothing is owed; the exit code.

    Args:
        wait: how to let time pass between rounds; None: one round only.

    Raises:
        ChainFault: only without `wait`: the node failed several times.
    """
    plan = _insist(leaving.look, console, wait)
    _show(console, plan, leaving)
    if plan.empty and plan.sure and not leaving.waiting:
        return 0
    if plan.cost > plan.brings and plan.only_ether and not at_a_loss:
        raise TooDear(plan.cost, plan.brings)
    told = ""
    while True:
        plan = _insist(leaving.go, console, wait)
        if plan.trouble is not None and str(plan.trouble) != told:
            say(console, plan.trouble, "yellow")
        told = "" if plan.trouble is None else str(plan.trouble)
        if plan.empty and plan.sure and not leaving.waiting:
            say(console, f"Everything is out{_as_of(leaving)}.", "bold green")
            return 0
        if leaving.stuck(plan):
            _lament(console, leaving, plan)
            return LEFT
        if wait is None:
            last = max((one.until for one in plan.owed), default=None)
            if last is not None:
                say(console, f"Run it again; all can be had by {clock(last)} UTC.")
            return 0 if plan.sure else BLIND
        wait(_ROUND_SECONDS)


def _insist(
    act: Callable[[], T],
    console: Console,
    wait: Callable[[float], None] | None,
    unless: Callable[[ChainFault], bool] = _never,
) -> T:
    """Does it until the node answers, whatever it says meanwhile: nothing is lost by asking again.

    Raises:
        ChainFault: one that is so for good; or, without `wait`, for the third time.
        StoreFault: without `wait`, for the third time.
    """
    for tries in itertools.count(1):
        try:
            return act()
        except (ChainFault, StoreFault) as fault:
            final = isinstance(fault, ChainFault) and unless(fault)
            if final or (wait is None and tries == _TRIES):
                raise
            say(console, fault, "yellow")
            if wait is not None:
                wait(_ROUND_SECONDS)
    raise AssertionError


def _show(console: Console, plan: Plan, leaving: Exit) -> None:
    if plan.trouble is not None:
        say(console, plan.trouble, "yellow")
    if not plan.sure:
        say(console, "The node has not told of everything yet: more may be owed.", "yellow")
    if plan.empty:
        if plan.sure:
            say(console, f"Nothing is owed{_as_of(leaving)}.")
        return
    table = Table(title="What the chain owes", title_justify="left")
    for heading in ("channel", "stands", "ours", "by (UTC)", "gas"):
        table.add_column(heading)
    for one in plan.owed:
        table.add_row(
            short(one.channel),
            one.phase.value,
            amount(one.asset, one.amount),
            clock(one.until),
            f"{one.gas:,}",
        )
    for asset, units in plan.credits:
        table.add_row("credit", "", amount(asset, units), "now", "")
    console.print(table)
    price = f"{ether(plan.cost)} ETH at today's price"
    say(console, f"It costs at most {plan.gas:,} gas, {price}{_as_of(leaving)}.")


def _plain(leaving: Exit, plan: Plan) -> dict[str, object]:
    """For programs: amounts in the smallest unit, as text."""
    return {
        "owed": [
            {
                "channel": "0x" + one.channel.hex(),
                "stands": one.phase.value,
                "asset": "0x" + one.asset.hex(),
                "amount": str(one.amount),
                "until": one.until,
                "gas": one.gas,
            }
            for one in plan.owed
        ],
        "credits": [
            {"asset": "0x" + asset.hex(), "amount": str(units)} for asset, units in plan.credits
        ],
        "cost": str(plan.cost),
        "sure": plan.sure,
        "underWay": leaving.waiting,
        "block": None if leaving.seen is None else leaving.seen.number,
    }


def _as_of(leaving: Exit) -> str:
    """What a plan is true of: a node may be days behind, and say that nothing is owed."""
    seen = leaving.seen
    return "" if seen is None else f", as of block {seen.number} of {clock(seen.time)} UTC"


def _lament(console: Console, leaving: Exit, plan: Plan) -> None:
    for asset, units in plan.credits:
        why = leaving.refused(asset)
        say(console, f"{amount(asset, units)} stays in the contract: {why}", "red")
    say(console, "Everything else is out. Run it again when the token pays.", "bold red")


COMMANDS = (leave,)
