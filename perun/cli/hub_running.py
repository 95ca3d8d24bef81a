"""`perun hub run|up|audit`: what needs the chain."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

import perun.store
from perun.chain.rpc import RpcEndpoint, connect
from perun.cli.homes import HOME_OPTION, JSON_OPTION, home_of
from perun.cli.hub_views import print_audit
from perun.cli.living import live, opened
from perun.cli.outcome import FAILED
from perun.cli.passwords import password_for
from perun.cli.render import console, say
from perun.cli.unhurried import unhurried
from perun.crypto.interop import checksum
from perun.daemon.auditing import audit_home, read_kept
from perun.daemon.daemon import Daemon
from perun.daemon.places import store_of
from perun.daemon.raising import NETWORKS, Wanted, enrich, raise_hub
from perun.daemon.settings import (
    USUAL_ADMIN,
    USUAL_API,
    ApiSettings,
    BadSettings,
    WireSettings,
    read_amount,
)
from perun.hub.bookkeeper import write_csv
from perun.hub.logs import JsonLog
from perun.node.keeping import Place
from perun.store import StoreInUse

__all__ = ["COMMANDS"]


@click.command("run")
@HOME_OPTION
@click.option(
    "--standby", is_flag=True, help="Wait while another process runs this hub, then take over."
)
def run(home: Path, standby: bool) -> None:
    """Run the hub here, until Ctrl-C or SIGTERM; what happens is printed as lines of JSON.

    SIGTERM takes nothing new, finishes what is under way, and stops.
    """
    home = home_of(home)
    settings, keyring, password = opened(home)
    if settings.hub is None:
        raise BadSettings(str(home), "no hub: its settings have no section [hub]")
    log = JsonLog(unhurried(sys.stdout), settings.chain.rpc)

    def begin() -> None:
        live(
            home,
            settings,
            keyring,
            password,
            log.tell,
            lambda daemon: log.write("Running", {"id": daemon.name, "link": daemon.link}),
        )

    if standby:
        _stand_by(store_of(home, settings.node), begin, log)
    else:
        begin()


def _stand_by(place: Place, begin: Callable[[], None], log: JsonLog) -> None:
    """Runs the hub once nobody else does; of several that wait one gets it."""
    if isinstance(place, Path):
        raise BadSettings("[node] store", "only a hub with its store on PostgreSQL has a standby")
    while True:
        log.write("StandingBy", {"store": str(place)})
        perun.store.await_turn(place)
        log.write("TakingOver", {"store": str(place)})
        try:
            begin()
            return
        except StoreInUse:
            continue


@click.command("up")
@HOME_OPTION
@click.option(
    "--network",
    "name",
    type=click.Choice(sorted(NETWORKS)),
    required=True,
    help="The test network that the hub is for.",
)
@click.option(
    "--rpc",
    multiple=True,
    required=True,
    help="An Ethereum node of that network; given twice, the two are compared.",
)
@click.option(
    "--keyfile",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The account that pays, encrypted; PERUN_PASSWORD or --password-file opens it.",
)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the password, so that the hub starts without asking.",
)
@click.option("--listen", default="127.0.0.1:7070", show_default=True, help="For peers.")
@click.option("--host", multiple=True, help="How others dial it, host[:port].")
@click.option("--tls-certificate", default="", help="Certificate chain, for a public address.")
@click.option("--tls-key", default="", help="Its key, if that is another file.")
@click.option("--proxy", is_flag=True, help="A proxy of yours in front has TLS.")
@click.option("--api", default="", help=f"For programs here; else {USUAL_API}, or a free port.")
@click.option("--admin", default="", help=f"For the operator; else {USUAL_ADMIN}, or a free port.")
@click.option("--credit", help='Credit kept for channels, such as "0.5 ether".')
@click.option("--only-prepare", is_flag=True, help="Do all the rest, and do not run.")
def up(
    home: Path,
    name: str,
    rpc: tuple[str, ...],
    keyfile: Path | None,
    password_file: Path | None,
    listen: str,
    host: tuple[str, ...],
    tls_certificate: str,
    tls_key: str,
    proxy: bool,
    api: str,
    admin: str,
    credit: str | None,
    only_prepare: bool,
) -> None:
    """Put up a hub on a test network and run it: contracts, keys, settings, credit.

    What was done before is found, not done again; killed at any moment, it goes on where it was.
    """
    home = home_of(home)
    network = NETWORKS[name]
    password = _password(keyfile, password_file, home)
    wanted = Wanted(
        network,
        rpc,
        password,
        "" if password_file is None else str(password_file.absolute()),
        keyfile,
        WireSettings(listen, host, tls_certificate=tls_certificate, tls_key=tls_key, proxy=proxy),
        ApiSettings(api),
        admin,
        None if credit is None else read_amount(credit),
    )
    shown = console(stderr=True)
    rich = enrich if network.free else _nothing
    raised = raise_hub(home, wanted, connect, lambda text: say(shown, text), rich)
    say(shown, f"account  {checksum(raised.account.address)}")
    say(shown, f"folder   {home}")
    if only_prepare:
        return
    log = JsonLog(unhurried(sys.stdout), raised.settings.chain.rpc)

    def ready(daemon: Daemon) -> None:
        say(shown, f"link     {daemon.link}", "bold")
        log.write("Running", {"id": daemon.name, "link": daemon.link})

    live(home, raised.settings, raised.keyring, password, log.tell, ready)


def _nothing(_endpoint: RpcEndpoint, _account: str) -> None:
    """Ether is not given away here."""


def _password(keyfile: Path | None, file: Path | None, home: Path) -> str:
    if file is None:
        return password_for(str(home if keyfile is None else keyfile))
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSettings(str(file), error.strerror or type(error).__name__) from None


@click.command("audit")
@HOME_OPTION
@JSON_OPTION
@click.option(
    "--csv",
    "table",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write every booking and every cost to a file.",
)
def audit_command(home: Path, as_json: bool, table: Path | None) -> None:
    """Compare chain and store to the wei; exit code 1 if anything differs.

    Works while the hub runs and when it is off, and changes nothing.
    """
    home = home_of(home)
    kept = read_kept(home)
    if table is not None:
        with table.open("w", encoding="utf-8", newline="") as opened:
            write_csv(opened, kept.entries, kept.costs.paid)
    found = audit_home(home)
    print_audit(found, as_json=as_json)
    if not found.holds:
        click.get_current_context().exit(FAILED)


COMMANDS: Final = (run, up, audit_command)
