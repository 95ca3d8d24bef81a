"""Two nodes of their own play over a hub, each from a terminal: a draw, and a rematch."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import Up, shell
from tests.node.processes.town.test_new_game import MORE, Newcomer, newcomer

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc"),
]


def test_draw_is_agreed_on_at_two_terminals_and_a_rematch_played(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home) as up, ExitStack() as stack:
        up.hear("Type in another terminal")
        ann, ben = (stack.enter_context(newcomer(home, name)) for name in ("ann", "ben"))
        for one in (ann, ben):
            one.types("perun open $HUB 0.1ether --receive 0.1ether --draw --yes")
        ben.types(f"perun contacts add ann {ann.id}")
        ann.types(f"perun contacts add ben {ben.id}")
        money = ann.money, ben.money

        said = ann.types(f"perun play ben {MORE} --no-wait --yes --json")
        id = str(json.loads(said[said.index("{") :])["id"])
        begins(ben, id, f"perun play {id} --no-wait --yes")
        assert "You offer a draw, by your next move." in ann.types(f"perun draw {id}")
        ann.types(f"perun move {id} 5")
        eventually(lambda: ben.game(id).draw == "them")
        said = ben.types(f"perun play {id}", "accept\n")
        assert "They offer a draw: accept it" in said
        assert "A draw: nothing moves" in said
        eventually(lambda: (ann.money, ben.money) == money)

        assert "they begin" in ann.types(f"perun rematch {id} --no-wait")
        eventually(lambda: any(one.state == "asked" for one in ben.node.games()))
        # His word for the same agrees to hers.
        assert "you begin" in ben.types(f"perun rematch {id} --no-wait")
        (again,) = [one.id for one in ben.node.games() if one.gain is None]
        assert {one.id for one in ann.node.games()} == {id, again}
        eventually(lambda: ben.game(again).turn == "you" and ben.game(again).began)
        ben.types(f"perun move {again} 1")
        ann.types(f"perun resign {again}")
        eventually(lambda: (ann.money, ben.money) == (money[0] - MORE, money[1] + MORE))
        assert "it adds up" in shell(home, f"perun hub audit --home {home / 'hub'}")


def begins(whom: Newcomer, id: str, answer: str) -> None:
    eventually(lambda: any(one.id == id for one in whom.node.games()))
    whom.types(answer)
