"""`perun node`: running a node, and ending it. What runs in the background is started by a process
that knows nothing of a node, so that nobody waits for two to load."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import click

from perun.cli.commands import Commands, Listed
from perun.cli.homes import HOME_OPTION, home_of
from perun.cli.passwords import PASSWORD, password_of
from perun.cli.texts import plain
from perun.daemon.process import AlreadyRunning, DidNotStart, process_of
from perun.daemon.settings import FILE_NAME, read_settings

__all__ = ["COMMANDS", "node"]

_COMMANDS: Final[tuple[Listed, ...]] = (
    ("start", "perun.cli.node", "Run the node in the background."),
    ("stop", "perun.cli.node", "End the node in the background."),
    ("run", "perun.cli.running", "Run the node here, until Ctrl-C."),
)


@click.group(cls=Commands, sections={"Commands": _COMMANDS})
def node() -> None:
    """Run a node in this terminal, or in the background."""


@click.command()
@HOME_OPTION
def start(home: Path) -> None:
    """Run the node in the background; what it says goes to node.log in its folder."""
    home = home_of(home)
    password = password_of(home, read_settings(home / FILE_NAME).node.password_file)
    running = process_of(home)
    if running is not None:
        raise AlreadyRunning(running)
    log = home / "node.log"
    said, ready = os.pipe()
    with log.open("ab") as file:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "perun.cli.main", "node", "run"),
                *("--home", str(home), "--ready", str(ready)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            pass_fds=(ready,),
            env={**os.environ, PASSWORD: password},
        )
    os.close(ready)
    with os.fdopen(said, "rb") as pipe:
        lives = pipe.read(1)  # or the end, when it ends
    if not lives:
        child.wait()
        raise DidNotStart(str(log), plain(_last_line(log)))
    click.echo(f"running as process {child.pid}; perun node stop ends it")


@click.command()
@HOME_OPTION
def stop(home: Path) -> None:
    """End the node in the background."""
    home = home_of(home)
    running = process_of(home)
    if running is None:
        click.echo("it is not running")
        return
    os.kill(running, signal.SIGTERM)
    while process_of(home) is not None:
        time.sleep(0.05)  # it is no child of ours: the system tells us nothing of its end
    click.echo("stopped")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


COMMANDS: Final = (node, start, stop)
