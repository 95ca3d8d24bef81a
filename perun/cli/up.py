"""`perun up`: a whole network on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import click
from filelock import FileLock, Timeout
from rich.console import Console

from perun.api.place import DEFAULT_HOME
from perun.chain.anvil import is_there
from perun.cli.next_steps import next_steps, write_names
from perun.cli.render import console, say
from perun.errors import Misuse
from perun.town.claims import Claims
from perun.town.household import Child, Household, python
from perun.town.place import BadTown, Kind, Town, found_town, open_town
from perun.town.settling import ROBOTS, settle

__all__ = ["COMMANDS", "up"]

SERVICES: Final = ("hub", "tower")
_LOOK: Final = 0.5
_LEFT: Final = 45.0
"""Seconds that the processes of an earlier run have to leave: they end when it has ended."""


@dataclass(eq=False)
class AlreadyUp(Misuse):
    """Another process runs this town."""

    home: str

    template: ClassVar[str] = "the network in {home} is up already"
    hint: ClassVar[str] = "look for the terminal that runs it, or choose another --home"


@click.command()
@click.option(
    "--home",
    envvar="PERUN_UP",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_HOME / "up",
    help="Folder of the network; PERUN_UP, or ~/.perun/up.",
)
@click.option(
    "--chain",
    "kind",
    type=click.Choice(["anvil", "embedded"]),
    help="Who makes the blocks of a new network; anvil if it is installed.",
)
def up(home: Path, kind: Kind | None) -> None:
    """Put up a whole network here: a chain, a hub, a shop to pay, a patron who pays you.

    Ctrl-C ends all of it; started again, it goes on where it was. Its money is worth nothing.
    """
    home = home.expanduser().absolute()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(home / "up.lock", timeout=0), Claims() as claims:
            _run(_town(home, kind, claims), claims, console())
    except Timeout:
        raise AlreadyUp(str(home)) from None
    except OSError as error:
        raise BadTown(str(home), error.strerror or type(error).__name__) from None


def _interrupt(_number: int, _frame: object) -> None:
    """Once ending, we end in order, however often we are told."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _town(home: Path, kind: Kind | None, claims: Claims) -> Town:
    town = open_town(home)
    if town is None:
        return found_town(home, kind or ("anvil" if is_there() else "embedded"), claims)
    if kind is not None and kind != town.kind:
        raise BadTown(str(home), f"its blocks are made by {town.kind}, not {kind}")
    return town


def _run(town: Town, claims: Claims, shown: Console) -> None:
    writing = threading.Lock()

    def tell(text: str) -> None:
        with writing:
            say(shown, text)

    try:
        with Household(town.logs, tell) as house:
            _put_up(town, claims, house, tell)
            write_names(town)
            for line in next_steps(town):
                tell(line)
            while True:
                house.wait(_LOOK)
    except KeyboardInterrupt:
        tell(f"Nothing of it runs any more. Started again, it goes on; its folder is {town.home}")


def _put_up(town: Town, claims: Claims, house: Household, tell: Callable[[str], None]) -> None:
    _await_leavers(town, tell)
    town.require_ports(claims)
    tell(f"The chain starts: {town.kind}, in {town.chain}")
    chain = house.start(_child(town, "chain"))
    house.await_ready(chain)
    settle(town, tell)
    tell("A hub, a tower, a shop and a patron start, and the two open channels with the hub.")
    services = [house.start(_child(town, name)) for name in SERVICES]
    house.await_ready(*services)
    robots = [house.start(_child(town, name)) for name in (*ROBOTS, *town.pages)]
    house.await_ready(*robots)


def _await_leavers(town: Town, tell: Callable[[str], None]) -> None:
    for name in (*SERVICES, *ROBOTS, "page", "chain"):
        lock = FileLock(town.home / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            tell(f"The {name} of an earlier run is still ending.")
            lock.acquire(timeout=_LEFT)
        lock.release()


def _child(town: Town, name: str) -> Child:
    return Child(name, python("perun.cli.main", "inhabitant", name, str(town.home)))


COMMANDS: Final = (up,)
