"""`perun node run`: a node in this terminal."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.living import live, opened
from perun.cli.render import console, say
from perun.daemon.daemon import Daemon
from perun.node.stalls import TurnHangs
from perun.wire.web import LinkDown, LinkUp, SessionDown, SessionUp

__all__ = ["COMMANDS", "run", "tell"]


@click.command()
@HOME_OPTION
@click.option("--ready", type=int, hidden=True, help="A pipe for one byte, once the node lives.")
def run(home: Path, ready: int | None) -> None:
    """Run the node here, until Ctrl-C or SIGTERM."""
    shown = console(hurried=False)
    home = home_of(home)
    settings, keyring, password = opened(home)

    def begin(daemon: Daemon) -> None:
        say(shown, f"{daemon.name} is running; Ctrl-C stops it")
        if ready is not None:
            with suppress(OSError):  # whoever has started us may be gone
                os.write(ready, b".")
                os.close(ready)

    live(home, settings, keyring, password, lambda told: tell(shown, told), begin)


def tell(shown: Console, told: object) -> None:
    """What a node has to say, in a line."""
    match told:
        case LinkUp():
            say(shown, f"attached at {told.host}")
        case LinkDown():
            say(shown, f"{told.host} is gone: {told.reason}")
        case SessionUp() | SessionDown():
            pass  # peers come and go; channels tell what matters
        case tuple():
            say(shown, f"refused: {told[1]}")
        case TurnHangs():
            say(shown, told, "bold red")
        case _:
            say(shown, told)


COMMANDS: Final = (run,)
