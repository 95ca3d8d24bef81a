"""Somebody to play with: takes invitations for small stakes, and moves when it is its turn.

It knows one game well enough to lose at it now and then; by other rules it makes any move that its
node takes. It remembers nothing: whose turn it is says its node.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from perun.api.client import CallRefused, Node
from perun.app.values import Game, Offer
from perun.games import VIEWS, View

__all__ = ["MOST_STAKE", "Player", "cell"]

MOST_STAKE: Final = 10**18 // 100
"""What it plays for at most."""
_LINES: Final = (
    *((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6)),
    *((1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)),
)
_LIKED: Final = (4, 0, 2, 6, 8, 1, 3, 5, 7)
_LOOK: Final = 5
"""Seconds after which it looks again though nothing was told."""


class Player:
    """Plays with whoever invites it."""

    def __init__(self, node: Node, say: Callable[[str], None]) -> None:
        self._node, self._say = node, say
        self._random = Random()  # noqa: S311  # no secret

    def run(self) -> None:
        """For ever."""
        since = self._node.status().event
        while True:
            self.look()
            happened = self._node.events(since, wait=_LOOK)
            since = happened[-1].number if happened else since

    def look(self) -> None:
        """Answers every invitation, and moves wherever it is its turn."""
        for offer in self._node.offers():
            if offer.kind == "game":
                self._try(lambda offer=offer: self._answer(offer))  # type: ignore[misc]
        for game in self._node.games():
            if game.turn == "you" and not (game.state == "playing" and game.why):
                self._try(lambda game=game: self._move(game))  # type: ignore[misc]

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except CallRefused as error:
            self._say(f"cannot play on: {error}")

    def _answer(self, offer: Offer) -> None:
        (game,) = self._node.games(offer.id)
        wanted = game.game in (*VIEWS, "throw") and int(offer.own_amount) <= MOST_STAKE
        self._node.answer(offer.id, wanted)
        if wanted:
            self._say(f"a game of {game.title} with {offer.peer[:14]}…")

    def _move(self, game: Game) -> None:
        position = bytes.fromhex(game.position[2:])
        if game.game != "TicTacToe":
            self._any_move(game, VIEWS[game.game], position)
            return
        alice, bob = (int.from_bytes(position[at : at + 2], "big") for at in (0, 2))
        own, theirs = (alice, bob) if game.invited else (bob, alice)
        self._node.move(game.id, str(cell(own, theirs) + 1))

    def _any_move(self, game: Game, view: View, position: bytes) -> None:
        moves = [move for move in view.tries(position) or () if move != view.resignation()]
        self._random.shuffle(moves)
        for move in moves:
            try:
                self._node.move(game.id, "0x" + move.hex())
            except CallRefused as error:
                if error.name != "RulesRefused":
                    raise
            else:
                return


def cell(own: int, theirs: int) -> int:
    """A cell that wins, else one that keeps the other side from winning, else one it likes."""
    taken = own | theirs
    for side in (own, theirs):
        for line in _LINES:
            free = [one for one in line if not taken >> one & 1]
            if len(free) == 1 and all(side >> one & 1 for one in line if one != free[0]):
                return free[0]
    return next(one for one in _LIKED if not taken >> one & 1)
