"""`perun init`: makes a node."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from perun.bindings.translation import translated
from perun.chain.reach import reach
from perun.chain.rpc import RpcEndpoint
from perun.cli.homes import HOME, HOME_OPTION, home_of
from perun.cli.passwords import PASSWORD, password_for
from perun.cli.reach import RPC_OPTION
from perun.cli.render import console, ether, plain, say
from perun.core.config import Deployment
from perun.crypto.interop import checksum
from perun.daemon.cards import Unreachable, fetch_card
from perun.daemon.contracts import Contracts, contracts_in, prove, read_contracts, write_contracts
from perun.daemon.faucet import ask_faucet
from perun.daemon.keyring import WORK_FOR_DRAWN, Keyring, new_phrase, write_keyring
from perun.daemon.noted import begin_with, contacts_kept
from perun.daemon.settings import (
    FILE_NAME,
    USUAL_API,
    ApiSettings,
    BackupSettings,
    BadSettings,
    ChainSettings,
    NodeSettings,
    Settings,
    WireSettings,
    write_settings,
)
from perun.encoding.addresses import NodeAddress
from perun.encoding.cards import Card

__all__ = ["COMMANDS", "init"]

_PASSWORD_FILE: Final = "password"  # noqa: S105  # a file's name
_OWNER_ONLY: Final = 0o700


@click.command()
@HOME_OPTION
@RPC_OPTION
@click.option("--hub", help="A hub's address, perun1…@host: its card names network and contracts.")
@click.option(
    "--contracts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that names the contracts, instead of a hub's card.",
)
@click.option("--listen", default="", help="Where others may dial us, such as 127.0.0.1:7070.")
@click.option("--api", default="", help=f"For programs here; else {USUAL_API}, or a free port.")
@click.option("--restore", is_flag=True, help="Type twelve words that you have.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File with the password; else {PASSWORD}, or the terminal.",
)
@click.option(
    "--yes", is_flag=True, help="Ask nothing; a password is drawn and kept beside the keys."
)
def init(
    home: Path,
    rpc: tuple[str, ...],
    hub: str | None,
    contracts: Path | None,
    listen: str,
    api: str,
    restore: bool,
    password_file: Path | None,
    yes: bool,
) -> None:
    """Make a node: twelve words, keys, a file of settings.

    Asks for nothing that it can find out. The words are shown once.
    """
    shown = console()
    home = home_of(home)
    if (home / FILE_NAME).exists():
        raise BadSettings(str(home), "there is a node already; choose another --home")
    card = _card_of(hub) if hub else None
    known = _contracts(card, contracts)
    deployment, since = _ground(rpc, known)

    typed = click.prompt("Your twelve words", hide_input=True) if restore else new_phrase()
    keyring = Keyring.of(typed)
    home.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    password, file = _password(home, password_file, yes)
    work = {"work": WORK_FOR_DRAWN} if file == _PASSWORD_FILE else {}
    if not restore:
        _show_words(shown, keyring.phrase, ask=not yes and sys.stdin.isatty())
    write_keyring(home / NodeSettings().keys, keyring, password, **work)
    write_contracts(home / ChainSettings(()).contracts, known)
    settings = Settings(
        ChainSettings(rpc, since=since),
        NodeSettings(password_file=file),
        WireSettings(listen, hubs=(hub,) if hub else ()),
        ApiSettings(api),
        backup=BackupSettings((hub,) if hub and card and "backup" in card.offers else ()),
    )
    write_settings(home / FILE_NAME, settings)
    names = _bring_names(shown, home, keyring, settings) if restore else 0

    account = checksum(keyring.account.address)
    table = Table(box=None, show_header=False)
    table.add_row("account", account)
    table.add_row("network", f"eip155:{deployment.contract.chain_id}")
    table.add_row("folder", str(home))
    if names:
        table.add_row("contacts", f"{names}, out of your backups")
    if card is not None and "faucet" in card.offers and hub is not None:
        table.add_row("from the faucet", _gift(NodeAddress.parse(hub).host, account))
    shown.print(table)
    usual = home_of(Path(os.environ.get(HOME) or "~/.perun"))
    where = "" if home == usual else f" --home {home}"
    shown.print()
    say(shown, f"Next: perun node start{where}", "bold")


def _gift(host: str, account: str) -> str:
    """What a faucet has given: nothing, to an account that had some before."""
    try:
        return f"{ether(ask_faucet(host, account))} ETH"
    except Unreachable as error:
        return f"nothing: {plain(error.reason)}"


def _bring_names(shown: Console, home: Path, keyring: Keyring, settings: Settings) -> int:
    """How many contacts have come back from where backups will go."""
    places = settings.backup.places
    found = contacts_kept(keyring, places, lambda fault: say(shown, fault, "yellow"))
    if found:
        begin_with(home / settings.node.store, found)
    return len(found)


def _ground(rpc: Sequence[str], known: Contracts) -> tuple[Deployment, int]:
    """The contracts, which every node that answers has, and the newest block.

    Raises:
        ChainFault: none answers.
        BadSettings: two are of different chains.
    """
    found: set[tuple[Deployment, bytes]] = set()

    def learn(node: RpcEndpoint) -> None:
        deployment = prove(node.web3, known)
        with translated():
            found.add((deployment, bytes(node.web3.eth.get_block(0)["hash"])))

    endpoint = reach(rpc, learn)
    if len(found) > 1:
        raise BadSettings("--rpc", "names nodes of two chains")
    head = endpoint.block()
    assert head is not None  # Asked without a number there is one, or a fault.
    ((deployment, _),) = found
    return deployment, head.number


def _card_of(hub: str) -> Card:
    where = NodeAddress.parse(hub)
    return fetch_card(where.host, peer=where.peer)


def _contracts(card: Card | None, file: Path | None) -> Contracts:
    if file is not None:
        return read_contracts(file)
    if card is None:
        raise BadSettings("--hub or --contracts", "one of them must say where the contracts are")
    return contracts_in(card)


def _password(home: Path, file: Path | None, yes: bool) -> tuple[str, str]:
    """The password, and the file that it is to be read from later, if there is one."""
    if file is not None:
        return file.read_text(encoding="utf-8").strip(), str(file.absolute())
    if yes and PASSWORD not in os.environ:
        password = secrets.token_urlsafe(24)
        descriptor = os.open(home / _PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(password + "\n")
        return password, _PASSWORD_FILE
    return password_for("the new node", confirm=True), ""


def _show_words(shown: Console, phrase: str, *, ask: bool) -> None:
    words = phrase.split()
    table = Table.grid(padding=(0, 3))
    for row in range(0, len(words), 4):
        table.add_row(*(f"{row + i + 1:2} {word}" for i, word in enumerate(words[row : row + 4])))
    shown.print(
        Panel(table, title="Write these down", subtitle="they bring everything back", expand=False)
    )
    if not ask:
        return
    shown.print("They are not shown again. Whoever has them has your money.")
    for place in sorted(secrets.SystemRandom().sample(range(len(words)), 2)):
        while click.prompt(f"Word {place + 1}").strip().lower() != words[place]:
            shown.print("That is another word; look at what you wrote down.")


COMMANDS: Final = (init,)
