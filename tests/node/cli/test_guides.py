"""Every command that a guide shows exists, with these options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from perun.cli.main import cli

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
SHOWN = [
    (path.name, line)
    for path in sorted(GUIDES.glob("*.md"))
    for line in re.findall(r"^\$ (perun .*)$", path.read_text(), re.M)
]


@pytest.mark.parametrize(("guide", "line"), SHOWN)
def test_command_of_a_guide_parses(guide: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None, line
        command = found
    # Files named in guides need not be here.
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            monkeypatch.setattr(parameter.type, "exists", False)
    command.make_context("perun", words)


def test_guides_show_commands() -> None:
    assert {guide for guide, _ in SHOWN} >= {"get-your-money-out.md", "let-somebody-watch.md"}
