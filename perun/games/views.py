"""The views there are, by the names of rules contracts; and one for all others."""

from __future__ import annotations

from typing import ClassVar, Final

from perun.games.chess import Chess
from perun.games.four_in_a_row import FourInARow
from perun.games.nim import Nim
from perun.games.tic_tac_toe import TicTacToe
from perun.games.view import BadMove, View

__all__ = ["VIEWS", "BadMove", "Plain", "View", "view_of"]


class Plain(View):
    """Of rules that nobody has made a view for: bytes in hex."""

    name: ClassVar[str] = ""
    title: ClassVar[str] = "a game"
    how: ClassVar[str] = "the move's bytes in hex, 0x…"

    def draw(self, position: bytes) -> str:
        """See `View`."""
        return "0x" + position.hex()

    def read(self, text: str) -> bytes:
        """See `View`."""
        try:
            return bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise BadMove(text, self.how) from None


VIEWS: Final[dict[str, View]] = {
    view.name: view for view in (TicTacToe(), Nim(), FourInARow(), Chess())
}
"""By the contracts' names."""

_PLAIN: Final = Plain()


def view_of(name: str) -> View:
    """The view of a rules contract; a plain one if it has none."""
    return VIEWS.get(name, _PLAIN)
