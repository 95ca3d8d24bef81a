"""Amounts, ids, times and strangers' words as text for people; nothing reads it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from perun.errors import show
from perun.types import ETH, Asset, UnixTime, Wei
from perun.units import format_ether

__all__ = ["amount", "clock", "ether", "plain", "short"]

_DIGITS: Final = 6
_SHOWN: Final = 10 ** (18 - _DIGITS)
"""Wei: the least that six decimals show."""
_MOST: Final = 1_000
"""Characters of one line; a node may send megabytes of reason."""


def ether(wei: int) -> str:
    """Ether with six decimals, unless that would show nothing of it; less than a millionth is left
    out."""
    text = format_ether(wei)
    whole, _, fraction = text.partition(".")
    if abs(wei) < _SHOWN:
        return text if wei else f"0.{'0' * _DIGITS}"
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


def plain(text: str) -> str:
    """Text that moves no cursor and forges no line, however it came: of a node, a token, a file.

    What is too long loses its middle: the end says what to do.
    """
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
    if len(shown) <= _MOST:
        return shown
    return f"{shown[: _MOST // 2]} … {shown[-_MOST // 2 :]}"
