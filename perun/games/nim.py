"""Nim: four heaps, of one of which something is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Final

from perun.games.view import BadMove, Cell, Grid, View

__all__ = ["Nim"]

_RESIGN: Final = 255
_TYPED: Final = re.compile(r"\s*([1-4])[\s,:x-]+(\d)\s*")


class Nim(View):
    """A position is the heaps, a byte each; a move is a heap in the upper half of a byte, and how
    many in the lower."""

    name: ClassVar[str] = "Nim"
    title: ClassVar[str] = "Nim"
    how: ClassVar[str] = "a heap and how many, such as 4-3; the last stone wins"

    def draw(self, position: bytes) -> str:
        """See `View`."""
        return "\n".join(
            f"{heap + 1}: {'o ' * size}".rstrip() for heap, size in enumerate(position)
        )

    def grid(self, position: bytes) -> Grid | None:
        """See `View`; a click on a stone takes it and all to the right of it."""
        widest = max(position, default=0)
        cells = []
        for heap, size in enumerate(position):
            for place in range(widest):
                move = f"{heap + 1}-{size - place}" if place < size else ""
                cells.append(Cell(move or f"{heap + 1}", "●" if move else "", types=move))
        return Grid(widest, tuple(cells)) if widest else None

    def read(self, text: str) -> bytes:
        """See `View`."""
        match = _TYPED.fullmatch(text)
        if match is None:
            raise BadMove(text, self.how)
        return bytes([(int(match[1]) - 1) << 4 | int(match[2])])

    def resignation(self) -> bytes | None:
        """See `View`."""
        return bytes([_RESIGN])

    def tries(self, position: bytes) -> Iterable[bytes] | None:
        """See `View`."""
        sizes = enumerate(position)
        return [bytes([heap << 4 | n]) for heap, size in sizes for n in range(size + 2)] + [b"\xff"]
