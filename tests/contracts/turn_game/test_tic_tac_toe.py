"""Tic-tac-toe, compared with a telling of its own over positions that can be reached."""

from __future__ import annotations

from functools import cache

import pytest
from web3 import Web3

from perun.referee import Board, Referee
from perun.referee.here import run
from tests.contracts.turn_game.table import board
from tests.support.contracts import Deployed
from tests.support.stage import Stage

ROWS = [
    {0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6},
]  # fmt: skip


@pytest.fixture
def rules(stage: Stage) -> Deployed:
    return stage.deploy("TicTacToe")


def bits(cells: frozenset[int]) -> int:
    return sum(1 << cell for cell in cells)


@cache
def positions() -> list[tuple[frozenset[int], frozenset[int], int]]:
    """Every position that can be reached and has a move left, with whose turn it is."""
    found: set[tuple[frozenset[int], frozenset[int], int]] = set()
    todo = [(frozenset[int](), frozenset[int](), turn) for turn in (1, 2)]
    while todo:
        here = todo.pop()
        if here in found:
            continue
        found.add(here)
        alice, bob, turn = here
        for cell in set(range(9)) - alice - bob:
            own = (alice if turn == 1 else bob) | {cell}
            after = (own, bob, 2) if turn == 1 else (alice, own, 1)
            if not any(row <= own for row in ROWS) and len(after[0] | after[1]) < 9:
                todo.append(after)
    return sorted(found, key=lambda item: (sorted(item[0]), sorted(item[1]), item[2]))


def expected(
    alice: frozenset[int], bob: frozenset[int], turn: int, cell: int
) -> tuple[bytes, int, int]:
    own = (alice if turn == 1 else bob) | {cell}
    after = (own, bob) if turn == 1 else (alice, own)
    if any(row <= own for row in ROWS):
        return board(bits(after[0]), bits(after[1])), 0, -(10**9) if turn == 1 else 10**9
    ended = len(after[0] | after[1]) == 9
    return board(bits(after[0]), bits(after[1])), 0 if ended else 3 - turn, 0


def test_moves_all_over_the_game(rules: Deployed) -> None:
    code = rules.stage.web3.eth.get_code(Web3.to_checksum_address(rules.address))
    referee = Referee(bytes(code), run)
    every = positions()
    assert len(every) > 5_000
    for number, (alice, bob, turn) in enumerate(every[:: len(every) // 150]):
        here = board(bits(alice), bits(bob))
        for cell in range(9):
            if cell in alice | bob:
                with pytest.raises(Exception, match="IllegalMove"):
                    rules.ask("play", here, turn, bytes([cell]))
            elif (number + cell) % 3 == 0:
                answer = rules.ask("play", here, turn, bytes([cell]))
                assert answer == expected(alice, bob, turn, cell)
                played = referee.play(Board(here, turn), bytes([cell]))
                assert (played.position, played.turn, played.result) == answer


@pytest.mark.parametrize(("turn", "result"), [(1, 10**9), (2, -(10**9))])
def test_resigning_gives_the_whole_lock(rules: Deployed, turn: int, result: int) -> None:
    assert rules.ask("play", board(1, 2), turn, b"\xff") == (board(1, 2), 0, result)


@pytest.mark.parametrize(
    ("position", "move"),
    [(b"", b"\0"), (bytes(3), b"\0"), (bytes(5), b"\0"), (bytes(4), b""), (bytes(4), b"\0\0"),
     (bytes(4), b"\x09"), (bytes(4), b"\xfe")],
)  # fmt: skip
def test_what_is_no_move_is_refused(rules: Deployed, position: bytes, move: bytes) -> None:
    with pytest.raises(Exception, match="IllegalMove"):
        rules.ask("play", position, 1, move)


@pytest.mark.parametrize("setup", [0, 1])
def test_setup_says_who_begins(rules: Deployed, setup: int) -> None:
    assert rules.ask("start", setup.to_bytes(32, "big")) == (bytes(4), 1 + setup)


def test_unknown_setup_is_refused(rules: Deployed) -> None:
    with pytest.raises(Exception, match="IllegalMove"):
        rules.ask("start", (2).to_bytes(32, "big"))
