"""How amounts, ids and times are shown. All of it is for people; nothing reads it back."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from perun.errors import show
from perun.types import ETH, Asset, UnixTime, Wei
from perun.units import format_ether

__all__ = ["amount", "clock", "console", "ether", "plain", "say", "short"]

_DIGITS: Final = 6
_MOST: Final = 1_000
"""Characters of one line; a node may send megabytes of reason."""


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


class _Screen(Console):
    """Whoever read it may be gone: that ends the reading, not the program."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Where everything is printed: nothing in a text is markup, an emoji, or to be coloured."""
    return _Screen(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def say(to: Console, text: object, style: str = "") -> None:
    """One line, as it is; words of strangers may be in it.

    A line that cannot be shown, on a full disk say, or in letters that the terminal does not have,
    is lost: it must not keep an answer back.
    """
    with contextlib.suppress(OSError, ValueError):
        to.print(Text(plain(str(text)), style), soft_wrap=True)


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
