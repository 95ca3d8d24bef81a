"""What a tower or a place says in refusing us moves no cursor, and breaks no answer."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner

from perun.api.protocol import success
from perun.app.values import Backup, Tower
from perun.backup.feed import FeedState
from perun.cli import asking
from perun.cli.main import cli
from perun.daemon.backups import Backups
from perun.daemon.towers import Towers
from perun.tower.client import TowerState

WORDS = "tower host: \x1b[2J\x1b]0;a title\x07[bold]" + 300 * "x"


class Telling:
    """A tower's client, or a place's feed."""

    def __init__(self, state: TowerState | FeedState) -> None:
        self.state = state


def of_towers() -> tuple[Tower, ...]:
    found = Towers.__new__(Towers)
    found._clients = cast("Any", [Telling(TowerState("host", 0, 0, WORDS))])
    return found.states()


def of_places() -> tuple[Backup, ...]:
    found = Backups.__new__(Backups)
    found._feeds = cast("Any", [Telling(FeedState("host", 0, 1, None, WORDS))])
    return found.shown()


@pytest.mark.parametrize(
    ("shown", "kind"),
    [(of_towers, tuple[Tower, ...]), (of_places, tuple[Backup, ...])],
    ids=("towers", "places"),
)
def test_long_words_are_cut_and_the_answer_is_read(shown: Any, kind: Any) -> None:
    """Attack: three hundred letters of refusal, and no client reads the answer any more."""
    answer = msgspec.json.decode(success(1, shown()))["result"]
    assert msgspec.convert(answer, kind)[0].trouble == WORDS[:256]


@pytest.mark.parametrize("command", ["towers", "backup"])
def test_words_of_a_service_move_no_cursor(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    class Node:
        towers = staticmethod(of_towers)
        backups = staticmethod(of_places)

    monkeypatch.setattr(asking, "connect", lambda **_: nullcontext(Node()))
    result = CliRunner(env={"COLUMNS": "500"}).invoke(cli, [command, "list"])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "\\x1b[2J" in result.output
    assert "[bold]" in result.output
