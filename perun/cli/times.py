"""Times as people type them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import click

__all__ = ["UNITS", "second_of"]

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
"""Seconds."""


def second_of(text: str) -> int:
    """A Unix second: as it is, as a date (UTC), or `+10m` from now."""
    try:
        if text.startswith("+"):
            return int(time.time()) + int(text[1:-1]) * UNITS[text[-1]]
        if text.isdecimal():
            return int(text)
        date = datetime.fromisoformat(text)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, KeyError, OverflowError):
        raise click.BadParameter(
            f"{text} is no time; write 2026-12-31T12:00 (UTC), Unix seconds, or +10m"
        ) from None
