"""Processes of `perun up` that are nodes: the hub, the tower, and the two robots."""

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
from perun.api.page import serve_page
from perun.cli.living import live, opened
from perun.cli.unhurried import unhurried
from perun.daemon.daemon import Daemon
from perun.hub.logs import JsonLog
from perun.town.asking import serve
from perun.town.household import READY, TOLD, announce
from perun.town.place import HOST, Town
from perun.town.player import Player
from perun.town.robots import Patron, Shop, join
from perun.town.settling import address_of, hub_link, tower_place

__all__ = ["ROLES"]


def _tell(text: str) -> None:
    """Something that people are to see."""
    announce(TOLD + text)


def _service(home: Path) -> None:
    """The hub, or the tower: a node that does nothing of its own accord."""
    settings, keyring, password = opened(home)
    log = JsonLog(unhurried(sys.stdout), settings.chain.rpc)
    live(home, settings, keyring, password, log.tell, lambda _: announce(READY))


def _robot(town: Town, name: str, act: Callable[[Path], None]) -> None:
    """A node, and in a thread what it does of its own accord."""
    home = town.home / name
    settings, keyring, password = opened(home)
    log = JsonLog(unhurried(sys.stdout), settings.chain.rpc)

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
            announce(READY)
            Shop(node, _tell).run()

    _robot(town, "shop", act)


def _patron(town: Town) -> None:
    def act(home: Path) -> None:
        node = connect(home=home)
        join(node, hub_link(town), _tell)
        serve(HOST, town.ports.patron, Patron(node, hub_link(town), _tell).asked)
        announce(READY)
        with connect(home=home) as playing:
            Player(playing, _tell).run()

    _robot(town, "patron", act)


def _page(town: Town) -> None:
    network = {
        "rpc": town.rpc,
        "hub": hub_link(town),
        "tower": tower_place(town),
        "shop": address_of(town, "shop"),
        "player": address_of(town, "patron"),
        "name": "perun up",
    }
    serve_page(HOST, town.ports.page, network, lambda: announce(READY))


ROLES: Final[dict[str, Callable[[Town], None]]] = {
    "hub": lambda town: _service(town.hub),
    "tower": lambda town: _service(town.home / "tower"),
    "shop": _shop,
    "patron": _patron,
    "page": _page,
}
