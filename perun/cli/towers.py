"""`perun tower`: being one for others; `perun towers`: those that watch for a node of ours."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace
from rich.table import Table

from perun.api.client import connect as to_node
from perun.chain import connect
from perun.chain.reports import Blind, Report, SeesAgain
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.keys import password_for
from perun.cli.render import clock, console, say
from perun.cli.reports import line
from perun.core.limits import limits_for
from perun.crypto.interop import checksum
from perun.daemon.contracts import prove, read_contracts
from perun.daemon.places import place_of, tls_of
from perun.daemon.settings import FILE_NAME, TowerSettings, read_settings, write_settings
from perun.daemon.towers import tower_on
from perun.encoding.addresses import NodeAddress, parse_host
from perun.types import UnixTime
from perun.wallet import read_keyfile
from perun.wire.listener import Listener

__all__ = ["COMMANDS", "tower", "towers"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def tower() -> None:
    """Watch for others."""


@tower.command("run")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--rpc", required=True, help="Address of an Ethereum node: http://…")
@click.option("--contracts", type=_FILE, required=True, help="File that names the contracts.")
@click.option("--keyfile", type=_FILE, required=True, help="The account that pays for answers.")
@click.option("--listen", default="127.0.0.1:7073", show_default=True, help="Where to be told.")
@click.option("--host", "hosts", multiple=True, help="How clients call it: host[:port].")
@click.option("--client", "clients", multiple=True, help="Node id for whom; else whoever comes.")
@click.option("--since", default=0, help="Block in which the contracts were deployed.")
@click.option("--tls-certificate", type=_FILE, help="Needed where others can reach it …")
@click.option("--tls-key", type=_FILE)
@click.option("--proxy", is_flag=True, help="… unless a proxy of yours in front has TLS.")
def run(
    folder: Path,
    rpc: str,
    contracts: Path,
    keyfile: Path,
    listen: str,
    hosts: tuple[str, ...],
    clients: tuple[str, ...],
    since: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    proxy: bool,
) -> None:
    """Watch the chain for whoever brings what it could lose by; kept in FOLDER.

    It holds no key of a client, and sends money nowhere but where both have signed that it goes.
    """
    shown = console()
    account = read_keyfile(keyfile, password_for(str(keyfile)))
    endpoint = connect(rpc)
    deployment = prove(endpoint.web3, read_contracts(contracts))
    bind, port = place_of(listen)
    tls = tls_of(listen, tls_certificate, tls_key, proxied=proxy)
    listener = Listener(bind, port, hosts=hosts, tls=tls, proxied=proxy)

    def report(said: Report) -> None:
        if not isinstance(said, Blind | SeesAgain):
            say(shown, *line(said, "answer"))

    service = tower_on(
        listener,
        folder,
        TowerSettings(clients=clients),
        endpoint=endpoint,
        deployment=deployment,
        account=account,
        limits=limits_for(deployment.contract.chain_id),
        since=since,
        report=report,
        tell=lambda about, error: say(shown, f"{about}: {error}", "yellow"),
    )

    async def live() -> None:
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
        await listener.start()
        service.start()
        try:
            who = checksum(account.address)
            say(shown, f"Watching at {listener.host} for {service.clients}, answering as {who}.")
            await ending.wait()
        finally:
            await listener.stop()
            service.stop()

    asyncio.run(live())


@click.group()
def towers() -> None:
    """Who watches for this node while it is offline."""


@towers.command("list")
@HOME_OPTION
def listed(home: Path) -> None:
    """Show the towers, and what they have acknowledged."""
    table = Table()
    for heading in ("tower", "channels", "sees", "trouble"):
        table.add_column(heading)
    node = to_node(home=home_of(home))
    try:
        for one in node.towers():
            sees = clock(UnixTime(one.sees)) if one.sees else "nothing yet"
            table.add_row(one.name, str(one.channels), sees, one.trouble)
    finally:
        node.hang_up()
    console().print(table)


@towers.command("add")
@click.argument("address")
@HOME_OPTION
def add(address: str, home: Path) -> None:
    """Have the tower at ADDRESS watch, from the node's next start."""
    # Read for its sake: what is mistyped is refused here.
    _ = NodeAddress.parse(address) if "@" in address else parse_host(address)
    _change(home, lambda had: (*(one for one in had if one != address), address))


@towers.command("remove")
@click.argument("address")
@HOME_OPTION
def remove(address: str, home: Path) -> None:
    """Tell the tower at ADDRESS nothing more; what it has it goes on watching."""
    _change(home, lambda had: tuple(one for one in had if one != address))


def _change(home: Path, new: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    file = home_of(home) / FILE_NAME
    settings = read_settings(file, {})
    addresses = new(settings.tower.addresses)
    write_settings(file, replace(settings, tower=replace(settings.tower, addresses=addresses)))
    named = ", ".join(addresses) or "nobody"
    say(console(), f"From the node's next start: {named} watches.")


COMMANDS: Final[list[click.Command]] = [tower, towers]
