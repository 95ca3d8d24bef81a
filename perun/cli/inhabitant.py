"""The processes that `perun up` starts: `perun inhabitant hub FOLDER`.

Not for people: each ends when `perun up` ends, however that comes about. Each loads what it needs:
nodes no chain in memory, and the chain no node.
"""

from __future__ import annotations

import signal
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from perun.errors import PerunError
from perun.town.household import READY, TOLD, announce
from perun.town.leash import leashed
from perun.town.place import Town, open_town

__all__ = ["COMMANDS", "inhabitant"]

_CHAIN: Final = "chain"
_CHAINS: Final = {
    "anvil": ("perun.town.anvil", "keep_anvil"),
    "embedded": ("perun.town.serving", "keep_embedded"),
}
_NODES: Final = "perun.cli.neighbours"


@click.command()
@click.argument("role")
@click.argument("folder", type=click.Path(path_type=Path))
def inhabitant(role: str, folder: Path) -> None:
    """Run one of the processes of `perun up`."""
    lock = leashed(folder / f"{role}.lock")
    town = open_town(folder)
    assert town is not None
    try:
        if role == _CHAIN:
            _keep_chain(town)
        else:
            import_module(_NODES).ROLES[role](town)
    except PerunError as error:
        announce(f"Error: {error}")
        sys.exit(1)
    finally:
        lock.release()


def _keep_chain(town: Town) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    place, name = _CHAINS[town.kind]
    keep = getattr(import_module(place), name)
    keep(
        town.chain,
        town.ports.chain,
        lambda: announce(READY),
        lambda text: announce(TOLD + text),
        stop,
    )


COMMANDS: Final = (inhabitant,)
