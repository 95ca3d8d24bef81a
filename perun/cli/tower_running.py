"""`perun tower`: watching for others."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from perun.chain.reach import reach
from perun.chain.reports import Blind, Report, SeesAgain
from perun.cli.passwords import password_for
from perun.cli.reach import RPC_OPTION
from perun.cli.render import console, say
from perun.cli.reports import line
from perun.cli.serving import FILE, live, with_tls
from perun.core.config import Deployment
from perun.core.limits import limits_for
from perun.crypto.interop import checksum
from perun.daemon.contracts import prove, read_contracts
from perun.daemon.places import place_of, tls_of
from perun.daemon.settings import TowerSettings
from perun.daemon.towers import tower_on
from perun.wallet import read_keyfile
from perun.wire.listener import Listener

__all__ = ["COMMANDS", "tower"]


@click.group()
def tower() -> None:
    """Watch for others."""


@tower.command("run")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@RPC_OPTION
@click.option("--contracts", type=FILE, required=True, help="File that names the contracts.")
@click.option("--keyfile", type=FILE, required=True, help="The account that pays for answers.")
@click.option("--listen", default="127.0.0.1:7073", show_default=True, help="Where to be told.")
@click.option("--host", "hosts", multiple=True, help="How clients call it: host[:port].")
@click.option("--client", "clients", multiple=True, help="Node id for whom; else whoever comes.")
@click.option("--since", default=0, help="Block in which the contracts were deployed.")
@with_tls
def run(
    folder: Path,
    rpc: tuple[str, ...],
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
    shown = console(hurried=False)
    account = read_keyfile(keyfile, password_for(str(keyfile)))
    named, proved = read_contracts(contracts), list[Deployment]()
    # Where two nodes are of two chains, they name different blocks: neither is believed.
    endpoint = reach(rpc, lambda one: proved.append(prove(one.web3, named)))
    deployment = proved[0]
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

    def begun() -> None:
        service.start()
        who = checksum(account.address)
        say(shown, f"Watching at {listener.host} for {service.clients}, answering as {who}.")

    live(listener, begun, service.stop)


COMMANDS: Final = (tower,)
