"""How games look: for each rules contract a view of one small file, which knows no rule.

A view draws a position, reads what people type as a move, and says how a setup is named. Whether a
move is legal, and what comes of it, the contract's bytecode alone says (`perun.referee`).
"""

from perun.games.loading import BadView, load_views
from perun.games.view import Cell, Grid
from perun.games.views import VIEWS, BadMove, Plain, View, view_of

__all__ = [
    "VIEWS",
    "BadMove",
    "BadView",
    "Cell",
    "Grid",
    "Plain",
    "View",
    "load_views",
    "view_of",
]
