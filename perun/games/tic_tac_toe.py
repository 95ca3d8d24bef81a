"""Tic-tac-toe: nine cells, numbered from the upper left corner, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from perun.games.view import BadMove, Cell, Grid, View

__all__ = ["TicTacToe"]

_RESIGN: Final = 255


class TicTacToe(View):
    """A position is Alice's cells and Bob's, a bit for each; a move is a cell."""

    name: ClassVar[str] = "TicTacToe"
    title: ClassVar[str] = "tic-tac-toe"
    how: ClassVar[str] = "a cell from 1 (upper left) to 9 (lower right)"

    def draw(self, position: bytes) -> str:
        """See `View`; X is who invited."""
        alice, bob = _sides(position)
        cells = [
            "X" if alice >> cell & 1 else "O" if bob >> cell & 1 else str(cell + 1)
            for cell in range(9)
        ]
        rows = [" " + " | ".join(cells[row : row + 3]) for row in (0, 3, 6)]
        return "\n---+---+---\n".join(rows)

    def grid(self, position: bytes) -> Grid | None:
        """See `View`."""
        alice, bob = _sides(position)
        owners = [1 if alice >> cell & 1 else 2 if bob >> cell & 1 else 0 for cell in range(9)]
        return Grid(
            3,
            tuple(
                Cell(str(at + 1), " XO"[owner].strip(), owner, "" if owner else str(at + 1))
                for at, owner in enumerate(owners)
            ),
        )

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
        alice, bob = _sides(position)
        free = [cell for cell in range(9) if not (alice | bob) >> cell & 1]
        return [bytes([cell]) for cell in (*free, 9, _RESIGN)]


def _sides(position: bytes) -> tuple[int, int]:
    """Alice's cells and Bob's."""
    return int.from_bytes(position[:2], "big"), int.from_bytes(position[2:4], "big")
