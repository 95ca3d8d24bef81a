"""A terminal that is stopped keeps neither a tower nor a node."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from perun.cli.render import console, say
from perun.cli.unhurried import unhurried


class Stopped(io.StringIO):
    """As after Ctrl-S, or with text selected in a console of Windows."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()

    def write(self, text: str) -> int:
        self.goes_on.wait()
        return super().write(text)


def test_terminal_that_is_stopped_keeps_nobody_and_shows_all_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped = Stopped()
    monkeypatch.setattr(sys, "stdout", stopped)
    shown = console(hurried=False)
    for number in range(3):
        say(shown, f"in dispute {number}")
    assert stopped.getvalue() == ""
    stopped.goes_on.set()
    late = unhurried(stopped)
    shown.file._is_late = False  # type: ignore[attr-defined]  # waits once more
    shown.file.flush()
    late.flush()
    assert stopped.getvalue().splitlines() == [f"in dispute {number}" for number in range(3)]


def test_what_is_printed_is_there_when_the_printing_returns() -> None:
    file = io.StringIO()
    to = unhurried(file, seconds=60)
    to.write("one line\n")
    to.flush()
    assert file.getvalue() == "one line\n"
    file.close()
    to.write("nobody reads this\n")
    to.flush()


def test_text_for_a_terminal_that_never_goes_on_is_bounded() -> None:
    stopped = Stopped()
    to = unhurried(stopped, seconds=0)
    for _ in range(10_200):
        to.write("x")
    assert to._texts.qsize() <= 10_000  # type: ignore[attr-defined]
    stopped.goes_on.set()
