"""The processes that `perun up` starts: `python -m perun.cli.inhabitant hub FOLDER`.

Not for people: each ends when `perun up` ends, however that comes about.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from perun.api.client import connect
from perun.cli.living import live, opened
from perun.daemon.daemon import Daemon
from perun.errors import PerunError
from perun.hub.logs import JsonLog
from perun.town.anvil import keep_anvil
from perun.town.asking import serve
from perun.town.household import READY, TOLD
from perun.town.leash import leashed
from perun.town.place import HOST, Town, open_town
from perun.town.robots import Patron, Shop, join
from perun.town.serving import keep_embedded
from perun.town.settling import hub_link

__all__ = ["main"]


def _say(text: str) -> None:
    print(text, flush=True)


def _tell(text: str) -> None:
    """Something that people are to see."""
    _say(TOLD + text)


def _chain(town: Town) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep = keep_anvil if town.kind == "anvil" else keep_embedded
    keep(town.chain, town.ports.chain, lambda: _say(READY), _tell, stop)


def _service(home: Path) -> None:
    """The hub, or the tower: a node that does nothing of its own accord."""
    settings, keyring, password = opened(home)
    log = JsonLog(sys.stdout, settings.chain.rpc)
    live(home, settings, keyring, password, log.tell, lambda _: _say(READY))


def _robot(town: Town, name: str, act: Callable[[Path], None]) -> None:
    """A node, and in a thread what it does of its own accord."""
    home = town.home / name
    settings, keyring, password = opened(home)
    log = JsonLog(sys.stdout, settings.chain.rpc)

    def begin(_: Daemon) -> None:
        threading.Thread(target=_acting, args=(home, act), name=name, daemon=True).start()

    live(home, settings, keyring, password, log.tell, begin)


def _acting(home: Path, act: Callable[[Path], None]) -> None:
    try:
        act(home)
    except Exception:
        traceback.print_exc()
        os.kill(os.getpid(), signal.SIGTERM)


def _shop(town: Town) -> None:
    def act(home: Path) -> None:
        with connect(home=home) as node:
            join(node, hub_link(town), _tell)
            _say(READY)
            Shop(node, _tell).run()

    _robot(town, "shop", act)


def _patron(town: Town) -> None:
    def act(home: Path) -> None:
        node = connect(home=home)
        join(node, hub_link(town), _tell)
        serve(HOST, town.ports.patron, Patron(node, hub_link(town), _tell).asked)
        _say(READY)

    _robot(town, "patron", act)


_ROLES: Final[dict[str, Callable[[Town], None]]] = {
    "chain": _chain,
    "hub": lambda town: _service(town.hub),
    "tower": lambda town: _service(town.home / "tower"),
    "shop": _shop,
    "patron": _patron,
}


def main() -> None:
    """Runs one of them."""
    role, folder = sys.argv[1:]
    lock = leashed(Path(folder) / f"{role}.lock")
    town = open_town(Path(folder))
    assert town is not None
    try:
        _ROLES[role](town)
    except PerunError as error:
        _say(f"Error: {error}")
        sys.exit(1)
    finally:
        lock.release()


if __name__ == "__main__":
    main()
