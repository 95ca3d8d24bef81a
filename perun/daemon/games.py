"""The games that a node plays: their rules from the chain, and how they look.

Those of the suite are there from the start. Those that the settings name may also be added while
the node runs: their file is read again whenever the games are asked for. What was known once stays
known to the end: somebody may be in the middle of a game by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec.structs import replace
from web3 import Web3

from perun.app.settings import KnownGame
from perun.bindings.failures import NodeBusy, NodeRefused
from perun.bindings.rules import RULES
from perun.bindings.translation import translated
from perun.core.limits import limits_for
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
from perun.types import Address, ChainId

__all__ = ["Found", "Games", "depth", "name_in", "named_rules", "stands_finally", "suite_rules"]


@dataclass(frozen=True, slots=True)
class Found:
    """Rules, as they stand on the chain."""

    name: str
    where: Address
    code: bytes
    final: bool = True
    """Whether it stands there in a final block, too. Before that other code could come to stand
    there, and nobody could move on chain."""


def suite_rules(web3: Web3, contracts: Contracts) -> list[Found]:
    """Those of this package that a deployment has.

    Raises:
        NodeUnreachable, NodeRefused: the node failed.
    """
    found = ((name, address(contracts[name])) for name in RULES if name in contracts)
    return [Found(name, where, _code(web3, where)) for name, where in found]


def named_rules(web3: Web3, games: Sequence[str], behind: int | None = None) -> list[Found]:
    """Those that a node's user plays by besides.

    Args:
        games: `Name=0x…` each; the name finds a view of the game (`perun.games`), if it has one.
        behind: so many blocks behind the newest one is final; None: the chain's tag says which is.

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
        found.append(Found(name.strip(), where, code, stands_finally(web3, where, code, behind)))
    return found


def depth(chain: ChainSettings, chain_id: ChainId) -> int | None:
    """So many blocks behind the newest one is final; None: the chain's tag says which."""
    given = chain.finality_blocks
    return limits_for(chain_id).finality_blocks if given is None else given


def stands_finally(web3: Web3, where: Address, code: bytes, behind: int | None) -> bool:
    """Whether this code stands there in a block that is final.

    Raises:
        NodeUnreachable: the node failed.
    """
    try:
        with translated():
            final: int | Literal["finalized"] = "finalized"
            if behind is not None:
                final = max(0, web3.eth.block_number - behind)
            return bytes(web3.eth.get_code(checksum(where), final)) == code
    except (NodeBusy, NodeRefused):
        # No block of it is final yet, or the node keeps no states of before.
        return False


class Games:
    """Of one node; looked at in any thread, one at a time."""

    def __init__(
        self,
        home: Path,
        chain: ChainSettings,
        found: Sequence[Found],
        behind: int | None = None,
    ) -> None:
        """Args:
            found: what the suite has, and what the settings name.
            behind: so many blocks behind the newest one is final; None: the chain's tag says which.

        Raises:
            BadView: a file of views cannot be run.
            NotAdmitted, RulesRefused: some code is none of rules.
        """
        self._home, self._chain, self._behind = home, chain, behind
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
            BadSettings: the file cannot be read, or names no contract, or one in no final block.
            BadView, NotAdmitted, RulesRefused: as when it was made; nothing new is known then.
            NodeUnreachable, NodeRefused: the node failed.
        """
        try:
            chain = read_settings(self._home / FILE_NAME).chain
        except NoNode:
            chain = self._chain
        known = {(one.name, one.where) for one in self._found.values()}
        fresh = [text for text in chain.games if _parts(text) not in known]
        found = named_rules(web3, fresh, self._behind)
        self._take(chain, found)
        for one in found:
            if not one.final:
                what = f"{one.name} stands in no final block yet: name it again when it does"
                raise BadSettings("[chain] games", what)

    def _take(self, chain: ChainSettings, found: Sequence[Found]) -> None:
        views: dict[str, View] = {}
        for path in chain.views:
            views.update(load_views(self._home / path))
        stands = [one for one in found if one.final]
        for one in stands:
            self.book.add(one.where, one.code)
        self._views = views
        for one in stands:
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
