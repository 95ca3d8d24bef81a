"""The chain's rules are the players' rules: a rules contract's bytecode is judged and run here.

`admission` says whether code is pure, by the opcodes that it can reach; `play` runs it in an EVM
of this process. No rule of a game is told a second time in Python (protocol, section 4).
"""

from perun.referee.admission import NotAdmitted, admit
from perun.referee.play import RULES_GAS, Board, Limits, Played, Referee, RulesRefused

__all__ = [
    "RULES_GAS",
    "Board",
    "Limits",
    "NotAdmitted",
    "Played",
    "Referee",
    "RulesRefused",
    "admit",
]
