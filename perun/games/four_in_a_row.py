"""Four in a row: seven columns, numbered from the left, into which stones fall."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from perun.games.view import BadMove, Cell, Grid, View

__all__ = ["FourInARow"]

_RESIGN: Final = 255
_COLUMNS: Final = range(7)


class FourInARow(View):
    """A position is Alice's stones and Bob's, seven bits a column; a move is a column."""

    name: ClassVar[str] = "FourInARow"
    title: ClassVar[str] = "four in a row"
    how: ClassVar[str] = "a column from 1 (left) to 7 (right)"

    def draw(self, position: bytes) -> str:
        """See `View`; X is who invited."""
        alice, bob = (int.from_bytes(position[at : at + 7], "big") for at in (0, 7))
        rows = [
            " ".join(
                "X" if alice >> at & 1 else "O" if bob >> at & 1 else "."
                for at in (7 * column + row for column in _COLUMNS)
            )
            for row in reversed(range(6))
        ]
        return "\n".join([*rows, "1 2 3 4 5 6 7"])

    def grid(self, position: bytes) -> Grid | None:
        """See `View`; a click anywhere in a column drops a stone into it."""
        alice, bob = (int.from_bytes(position[at : at + 7], "big") for at in (0, 7))
        cells = []
        for row in reversed(range(6)):
            for column in _COLUMNS:
                at = 7 * column + row
                owner = 1 if alice >> at & 1 else 2 if bob >> at & 1 else 0
                full = (alice | bob) >> 7 * column + 5 & 1
                typed = "" if full else str(column + 1)
                name = f"{column + 1}/{row + 1}"
                cells.append(Cell(name, "●" if owner else "", owner, typed))
        return Grid(7, tuple(cells))

    def read(self, text: str) -> bytes:
        """See `View`."""
        if text not in tuple("1234567"):
            raise BadMove(text, self.how)
        return bytes([int(text) - 1])

    def resignation(self) -> bytes | None:
        """See `View`."""
        return bytes([_RESIGN])

    def tries(self, position: bytes) -> Iterable[bytes] | None:  # noqa: ARG002
        """See `View`."""
        return [bytes([column]) for column in (*_COLUMNS, 7, _RESIGN)]
