"""The patron plays: whole games over the hub, with real processes; and what if it stops in one."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from perun.api.client import Node, connect
from perun.app.values import Game
from perun.chain.rpc import connect as connect_chain
from perun.town.player import MOST_STAKE, cell
from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import Up, shell
from tests.node.processes.town.test_up import names_of, stopped_at_the_end

STAKE = 10**15


def test_player_wins_where_it_can_and_else_keeps_others_from_it() -> None:
    assert cell(0b000_000_011, 0b011_000_000) == 2
    assert cell(0b000_010_000, 0b000_000_011) == 2
    assert cell(0, 0) == 4
    assert cell(0, 0b000_010_000) == 0


@pytest.mark.chain
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
def test_wallet_plays_with_the_patron_and_money_moves(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home) as up:
        up.hear("Type in another terminal")
        steps = up.steps()
        with stopped_at_the_end(home):
            for step in steps[1:4]:
                shell(home, step)
            patron = names_of(home)["PLAYER"]
            with connect(home=home / "you") as node:
                before = free(node)
                gains = [whole_game(node, patron, begin) for begin in (True, False)]
                for name in ("Nim", "FourInARow", "Chess"):
                    gains.append(some_moves(node, patron, name))
                game = node.flip(patron, STAKE)
                gains.append(ended(node, game.id))
                assert gains[-1] in (STAKE, -STAKE)
                eventually(lambda: free(node) == before + sum(gains))
                again = node.play(patron, "TicTacToe", 2 * MOST_STAKE)
                eventually(lambda: "did not agree" in node.games(again.id)[0].why)
                assert "it adds up" in shell(home, f"perun hub audit --home {home / 'hub'}")

                stops_in_the_middle(up, node, patron, home)


def whole_game(node: Node, patron: str, begin: bool) -> int:
    """We take the first free cell, and win, lose or draw."""
    game = node.play(patron, "tic-tac-toe", STAKE, begin=begin)

    def moved() -> bool:
        (now,) = node.games(game.id)
        if now.gain is None and now.turn == "you" and not now.why:
            free_cell = re.search(r"[1-9]", now.board)
            assert free_cell
            node.move(game.id, free_cell[0])
        return now.gain is not None

    eventually(moved)
    return ended(node, game.id)


def some_moves(node: Node, patron: str, name: str) -> int:
    """By rules of which the newcomer's settings say nothing; then we have had enough."""
    game = node.play(patron, name, STAKE)
    for typed in {"Nim": ["1-1"], "FourInARow": ["4", "4"], "Chess": ["e2e4", "g1f3"]}[name]:
        eventually(lambda: mine(node, game.id))
        node.move(game.id, typed)
    eventually(lambda: mine(node, game.id))
    node.resign(game.id)
    return ended(node, game.id)


def mine(node: Node, id: str) -> bool:
    (game,) = node.games(id)
    return game.turn == "you" and not game.why


def ended(node: Node, id: str) -> int:
    found: list[Game] = []

    def is_over() -> bool:
        found[:] = node.games(id)
        return found[0].state == "over"

    eventually(is_over)
    return int(found[0].gain or 0)


def free(node: Node) -> int:
    return sum(int(one.free) + int(one.locked) for one in node.channels())


def stops_in_the_middle(up: Up, node: Node, patron: str, home: Path) -> None:
    """The patron's process is stopped: its clock runs on chain, and it loses."""
    game = node.play(patron, "TicTacToe", STAKE)
    eventually(lambda: node.games(game.id)[0].turn == "you")
    os.kill(up.children()["patron"], signal.SIGSTOP)
    try:
        node.move(game.id, "1")
        node.call_clock(game.id)
        eventually(lambda: node.games(game.id)[0].state == "onChain")
        chain = connect_chain(names_of(home)["RPC"]).web3
        for seconds in (700, 5, 700, 5):
            chain.provider.make_request("evm_increaseTime", [seconds])  # type: ignore[arg-type]
            before = chain.eth.block_number
            eventually(lambda before=before: chain.eth.block_number > before + 2)  # type: ignore[misc]
        eventually(lambda: node.games(game.id)[0].gain == str(STAKE))
    finally:
        os.kill(up.children()["patron"], signal.SIGCONT)
