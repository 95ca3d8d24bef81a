"""How amounts, ids and times are shown. All of it is for people; nothing reads it back."""

from __future__ import annotations

from datetime import UTC, datetime

from perun.errors import show
from perun.types import ETH, Asset, UnixTime, Wei
from perun.units import format_ether

__all__ = ["amount", "clock", "ether", "short"]

_DIGITS = 6


def ether(wei: int) -> str:
    """Ether with six decimals; what is left out is less than a millionth."""
    text = format_ether(wei)
    whole, _, fraction = text.partition(".")
    if len(fraction) <= _DIGITS:
        return f"{whole}.{fraction.ljust(_DIGITS, '0')}"
    return f"{whole}.{fraction[:_DIGITS]}"


def amount(asset: Asset, units: Wei) -> str:
    """An amount with its asset; tokens are shown in their smallest unit."""
    return f"{ether(units)} ETH" if asset == ETH else f"{units} of {short(asset)}"


def short(id: bytes) -> str:
    """The beginning of an id or address."""
    return show(id[:6]) + "…"


def clock(time: UnixTime) -> str:
    """A block's time, UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
