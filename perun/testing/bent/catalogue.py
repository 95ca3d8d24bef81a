"""All quirks. To add one, see docs/guides/add-a-quirk.md."""

from __future__ import annotations

from typing import Final

from perun.testing.bent import blocks, logs, replicas, sending, state, transport
from perun.testing.bent.double import Kind

__all__ = ["CATALOGUE"]

CATALOGUE: Final[tuple[Kind, ...]] = (
    *blocks.KINDS,
    *replicas.KINDS,
    *logs.KINDS,
    *state.KINDS,
    *sending.KINDS,
    *transport.KINDS,
)
