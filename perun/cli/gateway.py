"""`perun gateway`: a process that holds a hub's sockets, and no key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from perun.cli.serving import FILE, live, with_tls
from perun.cli.unhurried import unhurried
from perun.daemon.places import nats_of, place_of, tls_of
from perun.hub.logs import JsonLog
from perun.wire.door import DoorLimits, door_for
from perun.wire.listener import Listener
from perun.wire.mesh import Mesh

__all__ = ["COMMANDS"]

DOOR: Final = DoorLimits()


@click.command("gateway")
@click.option("--nats", required=True, help="NATS servers, nats://host:port,…")
@click.option("--user", default="", help="Who we are there …")
@click.option("--password-file", type=FILE, help="… and the file with its password.")
@click.option("--listen", default="127.0.0.1:7070", show_default=True, help="For peers.")
@click.option("--host", "hosts", multiple=True, help="How others dial it, host[:port].")
@click.option(
    "--links",
    type=click.IntRange(1),
    default=DOOR.links,
    show_default=True,
    help="How many may be attached at once …",
)
@click.option(
    "--links-per-address",
    type=click.IntRange(1),
    default=DOOR.links_per_address,
    show_default=True,
    help="… and of one network address: more, where many come through one.",
)
@with_tls
def gateway(
    nats: str,
    user: str,
    password_file: Path | None,
    listen: str,
    hosts: tuple[str, ...],
    links: int,
    links_per_address: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    proxy: bool,
) -> None:
    """Hold the sockets of a hub's peers, and pass on what they say, until Ctrl-C or SIGTERM.

    Any number of them serve one hub, under one name; any may die. They hold no key: a stolen one
    can drop and delay, never read or speak for anybody.
    """
    bind, port = place_of(listen)
    tls = tls_of(listen, tls_certificate, tls_key, proxied=proxy)
    log = JsonLog(unhurried(sys.stdout))
    mesh = Mesh(nats_of(nats, user, password_file), report=log.tell)
    listener = Listener(
        bind,
        port,
        hosts=hosts,
        card=lambda: mesh.card_text,
        tls=tls,
        limits=door_for(links, links_per_address),
        proxied=proxy,
        mesh=mesh,
    )

    live(listener, lambda: log.write("Running", {"host": listener.host}))


COMMANDS: Final = (gateway,)
