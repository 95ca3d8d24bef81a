"""What judging a proposal may end in, besides refusing it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from perun.core.state import Intent
from perun.types import Wei

__all__ = ["Decision", "Verdict"]


class Decision(enum.Enum):
    """What becomes of a proposal that is not refused."""

    ACCEPT = "accept"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, and what the proposal does."""

    decision: Decision
    intent: Intent
    totals: tuple[Wei, Wei] | None = None
    """Hub: the totals that a removal names."""
