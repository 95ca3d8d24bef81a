"""Nim and four in a row, compared with tellings of their own over games at random."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from perun.bindings.artifacts import artifact
from perun.games import BadMove, view_of
from perun.referee import Board, Played, Referee, RulesRefused
from perun.referee.here import run

NIM = Referee(artifact("Nim").runtime, run)
FOUR = Referee(artifact("FourInARow").runtime, run)
WHOLE = 10**9

Told = tuple[bytes, int, int]
Rows = list[list[int]]


def after(rules: Referee, board: Board, move: bytes) -> Played | None:
    try:
        return rules.play(board, move)
    except RulesRefused as refused:
        if refused.broken:
            raise
        return None


def nim(board: Board, move: bytes) -> Told | None:
    heap, taken = divmod(move[0], 16)
    if heap > 3 or not 0 < taken <= board.position[heap]:
        return None
    heaps = [size - taken * (index == heap) for index, size in enumerate(board.position)]
    if any(heaps):
        return bytes(heaps), 3 - board.turn, 0
    return bytes(heaps), 0, -WHOLE if board.turn == 1 else WHOLE


def columns(position: bytes) -> Rows:
    """Of each column the sides of its stones, from below."""
    alice, bob = (int.from_bytes(position[at : at + 7], "big") for at in (0, 7))
    sides = [
        [(alice >> at & 1) + 2 * (bob >> at & 1) for at in range(7 * c, 7 * c + 6)]
        for c in range(7)
    ]
    return [[side for side in column if side] for column in sides]


def packed(found: Rows) -> bytes:
    stones = [(7 * c + at, side) for c, one in enumerate(found) for at, side in enumerate(one)]
    words = (sum(1 << at for at, side in stones if side == one) for one in (1, 2))
    return b"".join(word.to_bytes(7, "big") for word in words)


def four(board: Board, move: bytes) -> Told | None:
    found, column = columns(board.position), move[0]
    if column > 6 or len(found[column]) == 6:
        return None
    found[column].append(board.turn)
    stones = {(c, at): side for c, one in enumerate(found) for at, side in enumerate(one)}
    won = any(
        all(stones.get((c + n * dc, at + n * dr)) == board.turn for n in range(4))
        for c, at in stones
        for dc, dr in ((1, 0), (0, 1), (1, 1), (1, -1))
    )
    if won:
        return packed(found), 0, -WHOLE if board.turn == 1 else WHOLE
    return packed(found), 0 if len(stones) == 42 else 3 - board.turn, 0


@pytest.mark.parametrize(
    ("rules", "told", "games"), [(NIM, nim, 40), (FOUR, four, 25)], ids=["nim", "four"]
)
def test_games_at_random_are_as_told(
    rules: Referee, told: Callable[[Board, bytes], Told | None], games: int
) -> None:
    draw, ends = random.Random(1), set()
    for game in range(games):
        board = rules.start((game % 2).to_bytes(32, "big"))
        assert board.turn == 1 + game % 2
        while board.turn:
            tries = [bytes([one]) for one in range(128 if rules is NIM else 9)]
            moves = [move for move in tries if told(board, move) is not None]
            refused = draw.choice([move for move in tries if move not in moves])
            assert after(rules, board, refused) is None
            move = draw.choice(moves)
            played = after(rules, board, move)
            assert played is not None
            assert (played.position, played.turn, played.result) == told(board, move)
            board = Board(played.position, played.turn)
            if not played.turn:
                ends.add(played.result)
    assert {-WHOLE, WHOLE} <= ends


def test_full_board_of_four_in_a_row_without_a_row_is_a_draw() -> None:
    pattern = [[1, 2] * 3, [2, 1] * 3]
    full = [list(pattern[c // 2 % 2]) for c in range(7)]
    last = full[6].pop()
    played = after(FOUR, Board(packed(full), last), b"\x06")
    assert played is not None
    assert (played.turn, played.result) == (0, 0)


@pytest.mark.parametrize("rules", [NIM, FOUR], ids=["nim", "four"])
@pytest.mark.parametrize(("turn", "result"), [(1, WHOLE), (2, -WHOLE)])
def test_resigning_gives_the_whole_lock(rules: Referee, turn: int, result: int) -> None:
    played = after(rules, Board(rules.start(bytes(32)).position, turn), b"\xff")
    assert played is not None
    assert (played.turn, played.result) == (0, result)


@pytest.mark.parametrize("rules", [NIM, FOUR], ids=["nim", "four"])
@pytest.mark.parametrize("move", [b"", b"\x00\x01", b"\x07", b"\xfe"])
def test_what_is_no_move_is_refused(rules: Referee, move: bytes) -> None:
    assert after(rules, rules.start(bytes(32)), move) is None


@pytest.mark.parametrize("rules", [NIM, FOUR], ids=["nim", "four"])
def test_what_is_no_position_or_setup_is_refused(rules: Referee) -> None:
    assert after(rules, Board(b"\x01", 1), b"\x01") is None
    with pytest.raises(RulesRefused, match="unknown setup"):
        rules.start((2).to_bytes(32, "big"))


def test_views_show_and_read() -> None:
    heaps = view_of("Nim")
    assert heaps.draw(NIM.start(bytes(32)).position).splitlines()[1] == "2: o o o"
    assert [heaps.read(text) for text in ("4-3", "1 1", "2,3")] == [b"\x33", b"\x01", b"\x13"]
    board = view_of("FourInARow")
    rows = board.draw(packed([[1, 2], [], [], [], [], [], [1]])).splitlines()
    assert rows[-3:] == ["O . . . . . .", "X . . . . . X", "1 2 3 4 5 6 7"]
    assert board.read("7") == b"\x06"
    for view, text in ((heaps, "5-1"), (heaps, "3"), (board, "0"), (board, "a")):
        with pytest.raises(BadMove):
            view.read(text)
