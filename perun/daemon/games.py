"""The games that a node plays: their rules from the chain, and how they look.

Those of the suite are there from the start. Those that the settings name may also be added while
the node runs: their file is read again whenever the games are asked for. What was known once stays
known to the end: somebody may be in the middle of a game by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace
from web3 import Web3

from perun.app.settings import KnownGame
from perun.bindings.rules import RULES
from perun.bindings.translation import translated
from perun.crypto.interop import address, checksum
from perun.daemon.contracts import Contracts
from perun.daemon.settings import (
    FILE_NAME,
    BadSettings,
    ChainSettings,
    NoNode,
    read_settings,
    write_settings,
)
from perun.errors import WrongType
from perun.games import BadView, View, load_views
from perun.referee.here import run
from perun.referee.rulebook import CodeBook
from perun.types import Address

__all__ = ["Found", "Games", "name_in", "named_rules", "suite_rules"]


@dataclass(frozen=True, slots=True)
class Found:
    """Rules, as they stand on the chain."""

    name: str
    where: Address
    code: bytes


def suite_rules(web3: Web3, contracts: Contracts) -> list[Found]:
    """Those of this package that a deployment has.

    Raises:
        NodeUnreachable, NodeRefused: the node failed.
    """
    found = ((name, address(contracts[name])) for name in RULES if name in contracts)
    return [Found(name, where, _code(web3, where)) for name, where in found]


def named_rules(web3: Web3, games: Sequence[str]) -> list[Found]:
    """Those that a node's user plays by besides.

    Args:
        games: `Name=0x…` each; the name finds a view of the game (`perun.games`), if it has one.

    Raises:
        BadSettings: it is not written so, or no contract is there.
        NodeUnreachable, NodeRefused: the node failed.
    """
    found = []
    for text in games:
        name, _, place = text.partition("=")
        try:
            where = address(place.strip())
        except WrongType as error:
            raise BadSettings("[chain] games", f"{text[:80]!r}: {error}") from None
        code = _code(web3, where)
        if not name.strip() or not code:
            raise BadSettings("[chain] games", f"{text[:80]!r} names no contract: Name=0x…")
        found.append(Found(name.strip(), where, code))
    return found


class Games:
    """Of one node; looked at in any thread, one at a time."""

    def __init__(self, home: Path, chain: ChainSettings, found: Sequence[Found]) -> None:
        """Args:
            found: what the suite has, and what the settings name.

        Raises:
            BadView: a file of views cannot be run.
            NotAdmitted, RulesRefused: some code is none of rules.
        """
        self._home, self._chain = home, chain
        self.book = CodeBook({}, run)
        self._found: dict[Address, Found] = {}
        self._views: dict[str, View] = {}
        self._take(chain, found)

    @property
    def known(self) -> tuple[KnownGame, ...]:
        """The newest of a name first."""
        every = reversed(self._found.values())
        return tuple(KnownGame(one.name, one.where, self._views.get(one.name)) for one in every)

    @property
    def places(self) -> Mapping[str, str]:
        """Where the newest of each name stands, for a card."""
        return {one.name: checksum(one.where) for one in self._found.values()}

    def look(self, web3: Web3) -> None:
        """Takes up what has come into the settings since.

        Raises:
            BadSettings: the file cannot be read, or names no contract.
            BadView, NotAdmitted, RulesRefused: as when it was made; nothing new is known then.
            NodeUnreachable, NodeRefused: the node failed.
        """
        try:
            chain = read_settings(self._home / FILE_NAME).chain
        except NoNode:
            chain = self._chain
        known = {(one.name, one.where) for one in self._found.values()}
        fresh = [text for text in chain.games if _parts(text) not in known]
        self._take(chain, named_rules(web3, fresh))

    def _take(self, chain: ChainSettings, found: Sequence[Found]) -> None:
        views: dict[str, View] = {}
        for path in chain.views:
            views.update(load_views(self._home / path))
        for one in found:
            self.book.add(one.where, one.code)
        self._views = views
        for one in found:
            # Those that came last are last, also if their place was known by another name.
            self._found.pop(one.where, None)
            self._found[one.where] = one


def name_in(home: Path, name: str, where: Address, view: Path | None = None) -> None:
    """Writes rules into a node's settings; it takes them up when it is asked for its games.

    Args:
        home: the node's folder.
        name: as its user calls the game; that of the view, if there is one.
        view: a file of Python.

    Raises:
        BadSettings: there is no node, or its settings cannot be written.
        BadView: the file has no view of that name.
    """
    file = home / FILE_NAME
    chain = read_settings(file, {}).chain
    games, views = (*chain.games, f"{name}={checksum(where)}"), chain.views
    if view is not None:
        if name not in load_views(view):
            raise BadView(str(view), f"it has no view called {name}")
        views = (*views, str(view.absolute()))
    # Who says the same again means it anew: it comes last.
    chain = replace(chain, games=_last(games), views=_last(views))
    write_settings(file, replace(read_settings(file, {}), chain=chain))


def _last(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reversed(names)))[::-1]


def _parts(text: str) -> tuple[str, Address | None]:
    name, _, place = text.partition("=")
    try:
        return name.strip(), address(place.strip())
    except WrongType:
        return name.strip(), None


def _code(web3: Web3, where: Address) -> bytes:
    with translated():
        return bytes(web3.eth.get_code(checksum(where)))
