"""`perun hub`: running a hub, and looking after one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from perun.cli.living import live, opened
from perun.cli.node import HOME_OPTION, home_of
from perun.daemon.settings import BadSettings
from perun.hub.logs import JsonLog

__all__ = ["COMMANDS", "hub"]


@click.group()
def hub() -> None:
    """Run a hub, and look after it."""


@hub.command("run")
@HOME_OPTION
def run(home: Path) -> None:
    """Run the hub here, until Ctrl-C or SIGTERM; what happens is printed as lines of JSON.

    SIGTERM takes nothing new, finishes what is under way, and stops.
    """
    settings, keyring, password = opened(home_of(home))
    if settings.hub is None:
        raise BadSettings(str(home_of(home)), "no hub: its settings have no section [hub]")
    log = JsonLog(sys.stdout, settings.chain.rpc)
    live(
        home_of(home),
        settings,
        keyring,
        password,
        log.tell,
        lambda daemon: log.write("Running", {"id": daemon.name, "link": daemon.link}),
    )


COMMANDS = (hub,)
