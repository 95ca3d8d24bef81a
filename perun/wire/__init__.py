"""Ways to carry bytes between nodes, and sealed boxes between ends behind a hub."""

from perun.wire.local import LocalNetwork
from perun.wire.sealing import BoxSealer, Unsealable

__all__ = ["BoxSealer", "LocalNetwork", "Unsealable"]
