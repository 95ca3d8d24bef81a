"""What judging a proposal may end in, besides refusing it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from perun.core.nanocontracts.kind import Kind
from perun.core.state import ChannelView, HubInstance, InstanceView, Intent, Leg, Role
from perun.types import Wei

__all__ = ["Decision", "Half", "Verdict"]


class Decision(enum.Enum):
    """What becomes of a proposal that is not refused."""

    ACCEPT = "accept"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Half:
    """Hub: what a proposal is one half of.

    Any: a kind takes the terms and records of its own instances.
    """

    crossing: HubInstance
    instance: InstanceView
    kind: Kind[Any, Any]
    """Of the instance."""
    leg: Leg
    """In the channel of this half …"""
    there: Leg
    """… and in that of the other one …"""
    other: ChannelView
    """… as it is now."""
    peer: Role
    """The instance's side that whoever proposes stands on; the hub plays the other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision, and what the proposal does."""

    decision: Decision
    intent: Intent
    totals: tuple[Wei, Wei] | None = None
    """Hub: the totals that a removal names."""
    half: Half | None = None
    """Held until its other half is here."""
