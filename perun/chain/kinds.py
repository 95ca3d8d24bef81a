"""Which contract decides which kind of instance, and how it is read: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perun.bindings.coin_flip import FlipReader
from perun.bindings.escrow import DealReader
from perun.bindings.hash_time_lock import LockReader
from perun.bindings.instances import InstanceReader
from perun.bindings.turn_game import GameReader
from perun.bindings.vpm import MachineReader
from perun.core.config import Deployment
from perun.core.nanocontracts.coin_flip import COIN_FLIP
from perun.core.nanocontracts.escrow import ESCROW
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.machine import MACHINE
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.types import Address

__all__ = ["Known", "known_apps"]


@dataclass(frozen=True, slots=True)
class Known:
    """A kind, by the core and by the chain."""

    # Any: both take what the other gives, which only this file knows.
    kind: Kind[Any, Any]
    reader: InstanceReader[Any, Any]


_KINDS = (
    Known(MACHINE, MachineReader()),
    Known(HASH_LOCK, LockReader()),
    Known(COIN_FLIP, FlipReader()),
    Known(TURN_GAME, GameReader()),
    Known(ESCROW, DealReader()),
)


def known_apps(deployment: Deployment) -> dict[Address, Known]:
    """By address: the only nanocontracts that an honest party locks [A9]."""
    there = [known for known in _KINDS if known.kind.exists(deployment)]
    return {known.kind.app(deployment): known for known in there}
