"""Boards that are clicked: every legal move can be made so, and every click is one of the game."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import pytest

from perun.games import VIEWS, Grid, View
from perun.referee import Board, Referee, RulesRefused, revm
from tests.node.referee.test_admission import code_of


def clicked(grid: Grid) -> Iterator[str]:
    """All that can be typed by clicking."""
    cells = [cell for cell in grid.cells if cell.types]
    for chosen in product(cells, repeat=grid.clicks):
        typed = "".join(cell.types for cell in chosen)
        yield typed
        for end in chosen[0].ends:
            yield typed + end


def legal(referee: Referee, view: View, board: Board) -> dict[bytes, Board]:
    """Moves but giving up, and where they lead."""
    found = {}
    for move in view.tries(board.position) or ():
        if move != view.resignation():
            try:
                played = referee.play(board, move)
            except RulesRefused:
                continue
            found[move] = Board(played.position, played.turn)
    return found


@pytest.mark.parametrize("setup", [0, 1])
@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_legal_move_can_be_clicked(name: str, setup: int) -> None:
    dice, view, referee = random.Random(name), VIEWS[name], Referee(code_of(name), revm.run)
    board = referee.start(setup.to_bytes(32, "big"))
    # All pairs of squares are many.
    for _ in range(4 if name == "Chess" else 30):
        grid = view.grid(board.position)
        assert grid is not None, board.position.hex()
        assert len(grid.cells) % grid.columns == 0
        assert len({cell.name for cell in grid.cells if cell.types}) > 0
        moves = legal(referee, view, board)
        assert set(moves) <= {view.read(typed) for typed in clicked(grid)}
        board = dice.choice(list(moves.values()))
        if not board.turn:
            break


def test_stones_are_whose_they_are() -> None:
    grid = VIEWS["TicTacToe"].grid(bytes.fromhex("00010002"))
    assert grid is not None
    assert [(cell.text, cell.owner, cell.types) for cell in grid.cells[:3]] == [
        *(("X", 1, ""), ("O", 2, "")),
        ("", 0, "3"),
    ]


@pytest.mark.parametrize(("setup", "below"), [(0, 1), (1, 2)])
def test_white_is_whoever_begins(setup: int, below: int) -> None:
    board = Referee(code_of("Chess"), revm.run).start(setup.to_bytes(32, "big"))
    grid = VIEWS["Chess"].grid(board.position)
    assert grid is not None
    assert (grid.cells[-1].name, grid.cells[-1].owner) == ("h1", below)


def test_pawn_chooses_what_it_becomes() -> None:
    # White pawn on a7, kings somewhere else.
    board = 1 << 4 * 48 | 6 << 4 * 4 | 14 << 4 * 60
    grid = VIEWS["Chess"].grid(board.to_bytes(32, "big") + bytes(5))
    assert grid is not None
    assert [cell.name for cell in grid.cells if cell.ends] == ["a7"]
    assert VIEWS["Chess"].read("a7a8q") == (48 | 56 << 6 | 5 << 12).to_bytes(2, "big")
