"""Rules of games: contracts of pure functions, which players run themselves (protocol, section 4).

Nobody sends them anything. A front says where one stands; what it does, says `perun.referee`.
"""

from __future__ import annotations

from typing import Final

from perun.bindings.front import Front

__all__ = ["RULES", "Chess", "FourInARow", "Nim", "Rules", "TicTacToe"]


class Rules(Front):
    """A contract that says which moves of a game are legal, and what comes of them (`IRules`)."""


class TicTacToe(Rules):
    """Tic-tac-toe."""


class Nim(Rules):
    """Four heaps of which something is taken in turn."""


class FourInARow(Rules):
    """Stones that fall into seven columns."""


class Chess(Rules):
    """Chess, whole."""


RULES: Final[dict[str, type[Rules]]] = {
    kind.__name__: kind for kind in (TicTacToe, Nim, FourInARow, Chess)
}
"""Those of this package, by the contracts' names."""
