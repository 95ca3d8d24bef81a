"""A tower's rounds: each trouble is told, none is the end; and what strangers say stays text."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import perun.cli
import perun.demo
from perun.bindings.failures import NodeRefused, NodeUnreachable
from perun.chain.reports import Refused
from perun.cli import render
from perun.cli.render import plain, say
from perun.cli.reports import line
from perun.cli.vigil import Vigil
from perun.deployments import WrongCode
from perun.errors import BrokenInvariant
from perun.node.export import BadExport
from perun.node.watchtower import Watchtower

MARKUP = "[/nothing] [bold]x[/] :smile: \x1b[2J\r\nforged"


class Scripted:
    """A tower whose rounds go as the script says, then well."""

    def __init__(self, *script: Exception | None) -> None:
        self.script = list(script)
        self.rounds = 0
        self.beginnings = 0

    def round(self) -> None:
        self.rounds += 1
        fault = self.script.pop(0) if self.script else None
        if fault is not None:
            raise fault

    def start_over(self) -> None:
        self.beginnings += 1


class Hour:
    """Four seconds pass with each sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def vigil(tower: Scripted, begin: Callable[[], Watchtower] | None = None) -> tuple[Vigil, Console]:
    shown = Console(file=io.StringIO(), markup=False, emoji=False, width=300)
    hour = Hour()
    made: Callable[[], Watchtower] = begin or (lambda: tower)  # type: ignore[assignment,return-value]
    return Vigil(made, shown, sleep=hour.sleep, clock=hour), shown


def said(shown: Console) -> list[str]:
    return shown.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_blindness_is_told_at_once_again_and_when_it_ends() -> None:
    tower = Scripted(None, *[NodeRefused("over quota")] * 20)
    watching, shown = vigil(tower)
    assert watching.keep(rounds=22)
    lines = said(shown)
    assert lines[0] == "BLIND for 4 s, nothing is answered: the node refused: over quota"
    assert len(lines) == 3
    assert lines[1].startswith("BLIND for 64 s")
    assert lines[2] == "Sees again, after 84 s."


def test_last_look_that_failed_is_said_by_the_exit_code() -> None:
    watching, _ = vigil(Scripted(None, NodeUnreachable("ConnectionError")))
    assert not watching.keep(rounds=2)


def test_tower_ends_after_so_long_blind_if_it_was_told_to() -> None:
    tower = Scripted(*[NodeRefused("no")] * 10**3)
    watching, _ = vigil(tower)
    assert not watching.keep(end_blind=60)
    assert tower.rounds == 16


@pytest.mark.parametrize(
    "error", [KeyError(7), RecursionError(), MemoryError(), BrokenInvariant(MARKUP)]
)
def test_bug_makes_a_tower_begin_anew_and_not_end(error: Exception) -> None:
    tower = Scripted(error, None)
    watching, shown = vigil(tower)
    assert watching.keep(rounds=2)
    assert tower.beginnings == 1
    assert said(shown)[0].startswith("BLIND")


def test_broken_export_is_told_and_the_chain_seen_all_the_same() -> None:
    watching, shown = vigil(Scripted(BadExport("file", "it is gone")))
    assert watching.keep(rounds=1)
    assert "watching what was read before" in said(shown)[0]


def test_node_that_is_in_trouble_at_the_start_is_asked_again() -> None:
    tower = Scripted()
    trouble: list[Exception] = [NodeUnreachable("x"), NodeRefused("y"), BadExport("file", "cut")]

    def begin() -> Watchtower:
        if trouble:
            raise trouble.pop(0)
        return tower  # type: ignore[return-value]

    watching, _ = vigil(tower, begin)
    assert watching.keep(rounds=4)
    assert tower.rounds == 1


@pytest.mark.parametrize("error", [BadExport("file", "x"), WrongCode("VPM", b"", "no code")])
def test_what_can_never_work_ends_at_the_first_look(error: Exception) -> None:
    def begin() -> Watchtower:
        raise error

    watching, _ = vigil(Scripted(), begin)
    with pytest.raises(type(error)):
        watching.keep()


def test_words_of_a_node_are_text_and_nothing_else() -> None:
    tower = Scripted(NodeRefused(MARKUP), BadExport("[red]", MARKUP))
    watching, shown = vigil(tower)
    watching.keep(rounds=2)
    say(shown, *line(Refused(b"key", MARKUP)))
    lines = said(shown)
    # The one more is that it sees again.
    assert len(lines) == 4
    assert sum(MARKUP[:27] in one and "\x1b" not in one for one in lines) == 3


def test_huge_reason_loses_its_middle_and_keeps_its_hint() -> None:
    shown = plain("x" * 10**6 + "give another node")
    assert len(shown) < 2_000
    assert shown.endswith("give another node")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), BrokenPipeError()])
def test_line_that_cannot_be_shown_ends_nobody(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    monkeypatch.setattr("sys.stdout", Full())
    say(render.console(), "answer sent")


def test_everything_is_printed_by_the_console_that_reads_no_markup() -> None:
    for package in (perun.cli, perun.demo):
        for path in Path(package.__path__[0]).glob("*.py"):
            if path.name != "render.py":
                assert "Console(" not in path.read_text().replace("console(", ""), path
