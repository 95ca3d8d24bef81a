"""Tic-tac-toe: nine cells, numbered from the upper left corner, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from perun.games.view import BadMove, View

__all__ = ["TicTacToe"]

_RESIGN: Final = 255


class TicTacToe(View):
    """A position is Alice's cells and Bob's, a bit for each; a move is a cell."""

    name: ClassVar[str] = "TicTacToe"
    title: ClassVar[str] = "tic-tac-toe"
    how: ClassVar[str] = "a cell from 1 (upper left) to 9 (lower right)"

    def draw(self, position: bytes) -> str:
        """See `View`; X is who invited."""
        alice, bob = (int.from_bytes(position[at : at + 2], "big") for at in (0, 2))
        cells = [
            "X" if alice >> cell & 1 else "O" if bob >> cell & 1 else str(cell + 1)
            for cell in range(9)
        ]
        rows = [" " + " | ".join(cells[row : row + 3]) for row in (0, 3, 6)]
        return "\n---+---+---\n".join(rows)

    def read(self, text: str) -> bytes:
        """See `View`."""
        if text not in tuple("123456789"):
            raise BadMove(text, self.how)
        return bytes([int(text) - 1])

    def resignation(self) -> bytes | None:
        """See `View`."""
        return bytes([_RESIGN])

    def tries(self, position: bytes) -> Iterable[bytes] | None:
        """See `View`; a taken cell is refused wherever it is."""
        alice, bob = (int.from_bytes(position[at : at + 2], "big") for at in (0, 2))
        free = [cell for cell in range(9) if not (alice | bob) >> cell & 1]
        return [bytes([cell]) for cell in (*free, 9, _RESIGN)]
