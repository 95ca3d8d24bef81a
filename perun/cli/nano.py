"""`perun nano`: rules of games of your own, from the first file to what is wrong with them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click
from eth_account import Account
from web3 import Web3

from perun.api.client import CallRefused, NotReached, connect
from perun.bindings.translation import translated
from perun.chain import connect as connect_chain
from perun.cli.asking import JSON, print_json, show_table, table
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.outcome import FAILED
from perun.cli.render import console, plain, say
from perun.cli.waiting import working
from perun.crypto.interop import address as address_in
from perun.crypto.interop import checksum
from perun.daemon.games import depth, name_in, stands_finally
from perun.daemon.settings import FILE_NAME, read_settings
from perun.errors import show
from perun.nano import NotCompiled, Report, Rules, check, create, deploy, rules_of
from perun.nano.check import EFFORT
from perun.referee import RULES_GAS
from perun.types import Address, ChainId

__all__ = ["COMMANDS", "nano"]

_PAUSE = 0.5
"""Seconds between two looks at the chain."""

_HERE = click.Path(file_okay=False, path_type=Path)


@click.group()
def nano() -> None:
    """Write rules of a game: one file of Solidity, and how it looks."""


@nano.command("new")
@click.argument("name")
@click.option("--in", "folder", type=_HERE, default=".", help="Where; this folder if not given.")
def new(name: str, folder: Path) -> None:
    """Begin a game called NAME, such as MyGame: a folder with rules that already work."""
    to = console()
    for path in create(folder, name):
        say(to, path)
    say(to, f"Change them, and see what is wrong: cd {folder / name} && perun nano check {name}")


@nano.command("check")
@click.argument("name")
@click.option("--in", "folder", type=_HERE, default=".", help="The project's folder.")
@click.option("--rpc", default="", help="A node of the chain, if NAME is an address.")
@click.option("--effort", default=EFFORT, show_default=True, help="How often the rules are asked.")
@click.option("--seed", type=int, help="Of the games at random, to play them again.")
def check_rules(name: str, folder: Path, rpc: str, effort: int, seed: int | None) -> None:
    """Search the rules NAME for what they may not do, and say what a game by them needs.

    NAME is a contract of the project, a file of bytecode in hex, the address of a contract, or
    rules of this package. Exit code 1: nobody should play by them.
    """
    report = check(_rules(name, folder, rpc), effort=effort, seed=seed)
    to = console()
    for line in _lines(report):
        say(to, line)
    for fault in report.faults:
        say(to, f"WRONG   {fault}", "bold red")
    if report.faults:
        sys.exit(FAILED)
    say(to, "Nothing wrong was found.", "bold")


@nano.command("deploy")
@click.argument("name")
@click.option("--in", "folder", type=_HERE, default=".", help="The project's folder.")
@click.option("--rpc", envvar="RPC", required=True, help="A node of the chain; or RPC.")
@click.option("--alone", is_flag=True, help="Change no node's settings.")
@HOME_OPTION
def put_on_chain(name: str, folder: Path, rpc: str, alone: bool, home: Path) -> None:
    """Put the rules NAME on a chain, and let your node play by them from now on.

    The private key in KEY pays; without it the chain's own node does, on a chain for tests.
    """
    rules, to = _rules(name, folder), console()
    key = os.environ.get("KEY")
    payer = None if key is None else Account.from_key(key)
    web3 = connect_chain(rpc).web3
    placed = deploy(web3, rules, payer)
    where = checksum(placed)
    say(to, f"{rules.name} stands at {where}")
    view = "" if rules.view_file is None else f" --view {rules.view_file.name}"
    if not alone:
        _until_final(web3, placed, rules.code, home_of(home))
        _play_by(home_of(home), rules.name, where, rules.view_file)
    say(to, f"Whoever plays with you: perun nano add {rules.name} {where}{view}")


@nano.command("add")
@click.argument("name")
@click.argument("address")
@click.option(
    "--view",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of Python that says how it looks; it is run.",
)
@HOME_OPTION
def add(name: str, address: str, view: Path | None, home: Path) -> None:
    """Let your node play by the rules at ADDRESS, called NAME. You have read what they do."""
    _play_by(home_of(home), name, address, view)


@nano.command("list")
@HOME_OPTION
@JSON
def known(home: Path, as_json: bool) -> None:
    """Show the games that your node can play."""
    with connect(home=home_of(home)) as node:
        found = node.rules()
    if as_json:
        print_json(found)
        return
    shown = table("name", "game", "rules", "most moves", "a move is typed as")
    for one in found:
        shown.add_row(plain(one.game), plain(one.title), one.rules, str(one.moves), plain(one.how))
    show_table(shown, "No games.")


COMMANDS = (nano,)


def _until_final(web3: Web3, where: Address, code: bytes, home: Path) -> None:
    """Before its block is final no node plays by it: other code could come to stand there."""
    file = home / FILE_NAME
    if not file.exists():
        return
    with translated():
        behind = depth(read_settings(file, {}).chain, ChainId(web3.eth.chain_id))
    with working(False, "waiting until its block is final; Ctrl-C ends the waiting"):
        while not stands_finally(web3, where, code, behind):
            time.sleep(_PAUSE)


def _rules(name: str, folder: Path, rpc: str = "") -> Rules:
    """Those that somebody means; what the compiler says of them is shown as it says it."""
    try:
        return rules_of(name, folder, rpc)
    except NotCompiled as error:
        to = console(stderr=True)
        for line in error.said.splitlines():
            say(to, line)
        raise


def _play_by(home: Path, name: str, where: str, view: Path | None) -> None:
    """Into the settings, and into the node if it runs; out again if it refuses them."""
    to, file = console(), home / FILE_NAME
    if not file.exists():
        say(to, f"No node is in {home}: nothing else was changed.")
        return
    before = file.read_bytes()
    name_in(home, name, address_in(where), view)
    try:
        with connect(home=home) as node:
            found = node.rules()
    except NotReached:
        say(to, "Your node plays by it from its next start.")
        return
    except CallRefused:
        file.write_bytes(before)
        raise
    if all(checksum(one.rules) != checksum(where) for one in found):
        # Settings of its environment stand above the file's.
        say(to, "Your node reads its games elsewhere, from PERUN_CHAIN_GAMES: name it there.")
        return
    say(to, f"Your node plays by it: perun play WHOM 0.001ether --game {name}")


def _lines(report: Report) -> list[str]:
    lines = [f"rules   {report.name}, {len(report.code):,} bytes, hash {show(report.code_hash)}"]
    limits, found = report.limits, report.found
    if limits is not None:
        lines.append(
            f"limits  at most {limits.moves:,} moves; positions of {limits.position_bytes:,} bytes,"
            f" moves of {limits.move_bytes:,}"
        )
    if found is not None:
        seen = (
            f"every position, {found.positions:,} of them"
            if found.whole
            else f"{found.games:,} games at random, {found.positions:,} positions"
        )
        lines.append(f"search  {seen}; the longest game had {found.longest:,} moves")
        share = 100 * found.gas / (RULES_GAS // 2)
        lines.append(f"gas     {found.gas:,} at most for a move, {share:.1f} % of what is allowed")
        lines.append(f"bank    {report.bank:,} s at least on each clock")
    return lines + [f"note    {note}" for note in report.notes]
