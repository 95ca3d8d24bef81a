"""Books as a restart brings them back."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from perun.core.state import ChannelView, InstanceView

__all__ = ["unwatched"]


def unwatched(kept: Any) -> Any:
    """A field of the books, if the chain had told nothing of what is in it."""
    if not isinstance(kept, dict):
        return kept
    return {
        key: replace(row, watched=False) if isinstance(row, ChannelView | InstanceView) else row
        for key, row in kept.items()
    }
