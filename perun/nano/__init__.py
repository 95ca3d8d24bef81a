"""From an idea to rules that nodes play by: a project to begin with, and what is wrong in it.

Nothing here knows a game. The compiler is asked by a program of its own (`populus compile`).
"""

from perun.nano.check import Report, check
from perun.nano.code import NoRulesThere, NotCompiled, NotMade, Rules, rules_of
from perun.nano.placing import NotDeployable, OtherCode, deploy
from perun.nano.scaffold import BadName, create

__all__ = [
    "BadName",
    "NoRulesThere",
    "NotCompiled",
    "NotDeployable",
    "NotMade",
    "OtherCode",
    "Report",
    "Rules",
    "check",
    "create",
    "deploy",
    "rules_of",
]
