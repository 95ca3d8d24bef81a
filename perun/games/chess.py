"""Chess: a board with letters, and moves from square to square."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from perun.games.view import BadMove, Cell, Grid, View

__all__ = ["Chess"]

_PIECES: Final = ".PNBRQK..pnbrqk."
_SHAPES: Final = " ♙♘♗♖♕♔  ♟♞♝♜♛♚ "
_BECOMES: Final = "nbrq"
_BOB_IS_WHITE: Final = 16
"""In the byte after the board."""
_FILES: Final = "abcdefgh"
_TYPED: Final = re.compile(r"([a-h])([1-8])[-x ]?([a-h])([1-8])=?([nbrq])?")


class Chess(View):
    """A position has a piece in four bits for each square, a1 lowest; a move says from where and
    to where, six bits each, and what a pawn becomes."""

    name: ClassVar[str] = "Chess"
    title: ClassVar[str] = "chess"
    how: ClassVar[str] = "from where to where, such as e2e4, e7e8q, or e1g1 to castle"

    def draw(self, position: bytes) -> str:
        """See `View`; white has capitals, and stands below."""
        board = int.from_bytes(position[:32], "big")
        rows = [
            f"{rank + 1} "
            + " ".join(_PIECES[board >> 4 * (8 * rank + file) & 15] for file in range(8))
            for rank in reversed(range(8))
        ]
        return "\n".join([*rows, "  " + " ".join(_FILES)])

    def grid(self, position: bytes) -> Grid | None:
        """See `View`; white is whoever begins, and stands below."""
        board = int.from_bytes(position[:32], "big")
        squares = [8 * rank + file for rank in reversed(range(8)) for file in range(8)]
        swapped = len(position) > 32 and bool(position[32] & _BOB_IS_WHITE)
        cells = tuple(_cell(board, square, bob_is_white=swapped) for square in squares)
        return Grid(8, cells, 2, checkered=True)

    def read(self, text: str) -> bytes:
        """See `View`."""
        match = _TYPED.fullmatch(text.strip().lower())
        if match is None:
            raise BadMove(text, self.how)
        start, end = (_FILES.index(match[at]) + 8 * (int(match[at + 1]) - 1) for at in (1, 3))
        return _move(start, end, _BECOMES.index(match[5]) + 2 if match[5] else 0)

    def resignation(self) -> bytes | None:
        """See `View`."""
        return b"\xff\xff"

    def tries(self, position: bytes) -> Iterable[bytes] | None:
        """See `View`: from every square with a piece to every other."""
        return [*_everything(int.from_bytes(position[:32], "big")), b"\xff\xff"]


def _cell(board: int, square: int, *, bob_is_white: bool) -> Cell:
    piece = board >> 4 * square & 15
    name = f"{_FILES[square % 8]}{square // 8 + 1}"
    white, black = (2, 1) if bob_is_white else (1, 2)
    is_last_step = (piece, square // 8) in ((1, 6), (9, 1))
    return Cell(
        name,
        _SHAPES[piece].strip(),
        0 if not piece else black if piece & 8 else white,
        name,
        tuple(reversed(_BECOMES)) if is_last_step else (),
    )


def _everything(board: int) -> Iterator[bytes]:
    for start in range(64):
        piece = board >> 4 * start & 7
        for end in range(64) if piece else ():
            last = piece == 1 and end // 8 in (0, 7)
            for becomes in range(2, 6) if last else (0,):
                yield _move(start, end, becomes)


def _move(start: int, end: int, becomes: int) -> bytes:
    return (start | end << 6 | becomes << 12).to_bytes(2, "big")
