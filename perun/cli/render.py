"""What is printed: tables, lines and progress, by rich. Commands that print nothing do without."""

from __future__ import annotations

import contextlib

from rich.console import Console
from rich.text import Text

from perun.cli.texts import amount, clock, ether, plain, short
from perun.cli.unhurried import unhurried

__all__ = ["amount", "clock", "console", "ether", "plain", "say", "short"]


class _Screen(Console):
    """Whoever read it may be gone: that ends the reading, not the program."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


def console(*, stderr: bool = False, quiet: bool = False, hurried: bool = True) -> Console:
    """Where everything is printed: nothing in a text is markup, an emoji, or to be coloured.

    Args:
        hurried: whether whoever prints may be kept by a terminal that is stopped.
    """
    screen = _Screen(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)
    if not hurried:
        screen.file = unhurried(screen.file)
    return screen


def say(to: Console, text: object, style: str = "") -> None:
    """One line, as it is; words of strangers may be in it.

    A line that cannot be shown, on a full disk say, or in letters that the terminal does not have,
    is lost: it must not keep an answer back.
    """
    with contextlib.suppress(OSError, ValueError):
        to.print(Text(plain(str(text)), style), soft_wrap=True)
