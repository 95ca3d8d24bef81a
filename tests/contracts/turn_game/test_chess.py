"""Chess: counted against published numbers, compared with python-chess, measured at its worst."""

from __future__ import annotations

import random

import chess
import pytest

from perun.games import view_of
from perun.referee import Board, Played
from tests.contracts.turn_game.chess_board import RULES, after, coded, everywhere, nodes, position

KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"

# https://www.chessprogramming.org/Perft_Results, positions 1 to 6.
PUBLISHED = {
    chess.STARTING_FEN: (20, 400),
    KIWIPETE: (48, 2_039),
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1": (14, 191, 2_812),
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1": (6, 264),
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8": (44, 1_486),
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10": (46, 2_079),
}


def play(board: chess.Board, move: str) -> Played | None:
    return after(position(board), coded(chess.Move.from_uci(move)))


def moves_of(board: Board) -> set[bytes]:
    return {move for move in everywhere(board) if after(board, move) is not None}


def agree(board: chess.Board) -> None:
    """The rules allow exactly what python-chess does."""
    assert moves_of(position(board)) == {coded(move) for move in board.legal_moves}, board.fen()


@pytest.mark.parametrize("fen", PUBLISHED)
def test_ways_to_move_are_as_many_as_published(fen: str) -> None:
    board = position(chess.Board(fen))
    assert nodes(board, 1) == PUBLISHED[fen][0]


@pytest.mark.slow
@pytest.mark.parametrize("fen", PUBLISHED)
def test_ways_of_more_moves_are_as_many_as_published(fen: str) -> None:
    board = position(chess.Board(fen))
    for depth, expected in enumerate(PUBLISHED[fen], 1):
        assert nodes(board, depth) == expected


@pytest.mark.parametrize("fen", PUBLISHED)
def test_published_positions_two_moves_deep_allow_what_a_library_does(fen: str) -> None:
    """Each move of each position one deep; of two deep a sample."""
    draw, board = random.Random(fen), chess.Board(fen)
    agree(board)
    for move in draw.sample(sorted(board.legal_moves, key=str), 1):
        board.push(move)
        agree(board)
        board.pop()


@pytest.mark.parametrize(
    "seed", [pytest.param(one, marks=pytest.mark.slow) for one in range(1, 8)] + [0]
)
def test_random_games_are_those_of_a_library(seed: int) -> None:
    """Every position of a game: the same next one, the same end; what is illegal is refused."""
    draw, board, at = random.Random(seed), chess.Board(), RULES.start(bytes(32))
    assert at.position[:37] == position(board).position
    while at.turn:
        legal = sorted(board.legal_moves, key=str)
        for typed in draw.sample(everywhere(at), 6):
            assert (after(at, typed) is not None) is (typed in {coded(move) for move in legal})
        move = draw.choice(legal)
        played = after(at, coded(move))
        assert played is not None
        board.push(move)
        assert played.position[:37] == position(board).position, board.fen()
        _same_end(board, played)
        at = Board(played.position, played.turn)


def _same_end(board: chess.Board, played: Played) -> None:
    mate = board.is_checkmate()
    drawn = (
        board.is_stalemate()
        or board.is_insufficient_material()
        or board.is_repetition(3)
        or board.halfmove_clock >= 100
        or board.ply() >= 600
    )
    assert (played.turn == 0) is (mate or drawn), board.fen()
    winner = 10**9 if board.turn else -(10**9)
    assert played.result == (winner if mate else 0)


ENDS = {
    "queen": ("rnbqkb1r/pppp1ppp/5n2/4p2Q/2B1P3/8/8/RNB1K1NR w KQkq - 4 4", "h5f7", -(10**9)),
    "fool's mate": ("rnbqkbnr/pppp1ppp/8/4p3/6P1/5P2/PPPPP2P/RNBQKBNR b KQkq - 0 2", "d8h4", 10**9),
    "smothered": ("6rk/6pp/8/6N1/8/8/8/6K1 w - - 0 1", "g5f7", -(10**9)),
    "promotion mates": ("7k/1P4pp/8/8/8/8/8/6K1 w - - 0 1", "b7b8q", -(10**9)),
    "stalemate": ("7k/5K2/8/6Q1/8/8/8/8 w - - 0 1", "g5g6", 0),
    "bare kings": ("8/8/8/3k4/8/8/3q4/4K3 w - - 0 1", "e1d2", 0),
    "kings and a knight": ("8/8/8/8/8/2k5/3q4/4KN2 w - - 0 1", "f1d2", 0),
    "bishops of one colour": ("8/8/8/b7/8/2k3q1/5B2/4K3 w - - 0 1", "f2g3", 0),
    "fifty moves": ("8/8/8/8/8/2k5/4r3/6K1 w - - 99 120", "g1f1", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_ends_are_decided_at_once(name: str) -> None:
    fen, move, result = ENDS[name]
    played = play(chess.Board(fen), move)
    assert played is not None
    assert (played.turn, played.result) == (0, result)


def test_threefold_counts_where_the_same_moves_are_possible() -> None:
    """Knights go out and back: the position comes again, for the third time at the eighth ply."""
    at = RULES.start(bytes(32))
    turns = []
    for move in ("g1f3", "g8f6", "f3g1", "f6g8") * 2:
        played = after(at, coded(chess.Move.from_uci(move)))
        assert played is not None
        turns.append(played.turn)
        at = Board(played.position, played.turn)
    assert turns == [2, 1, 2, 1, 2, 1, 2, 0]


def test_lost_castling_makes_another_position() -> None:
    board = chess.Board("r3k3/8/8/8/8/8/8/R3K2R w KQq - 0 1")
    at, turns = position(board), []
    for move in ("h1g1", "a8b8", "g1h1", "b8a8") * 3:
        board.push(chess.Move.from_uci(move))
        played = after(at, coded(chess.Move.from_uci(move)))
        assert played is not None
        turns.append(played.turn)
        at = Board(played.position, played.turn)
        if not played.turn:
            break
    # With the rights of the beginning the position was another one: only what came after counts.
    assert len(turns) == 10
    assert board.is_repetition(3)


def test_long_game_is_drawn_at_three_hundred_moves() -> None:
    board = chess.Board("4k3/p7/8/8/8/8/P7/4K3 w - - 3 200")
    typed = coded(chess.Move.from_uci("e1d1"))
    assert after(position(board, 598), typed).turn == 2  # type: ignore[union-attr]
    black = chess.Board("4k3/p7/8/8/8/8/P7/3K4 b - - 4 200")
    last = after(position(black, 599), coded(chess.Move.from_uci("e8d8")))
    assert last is not None
    assert (last.turn, last.result) == (0, 0)


@pytest.mark.parametrize("turn", [1, 2])
def test_resigning_gives_the_whole_lock(turn: int) -> None:
    at = Board(position(chess.Board()).position, turn)
    played = after(at, b"\xff\xff")
    assert played is not None
    assert (played.turn, played.result) == (0, 10**9 if turn == 1 else -(10**9))


def test_bob_is_white_if_the_setup_says_so() -> None:
    at = RULES.start((1).to_bytes(32, "big"))
    assert at.turn == 2
    played = after(at, coded(chess.Move.from_uci("e2e4")))
    assert played is not None
    assert played.turn == 1
    assert after(Board(played.position, 2), coded(chess.Move.from_uci("d2d4"))) is None
    assert after(Board(played.position, 1), coded(chess.Move.from_uci("e7e5"))) is not None


# The dearest that climbing from random boards has found; nine queens that tie a king up cost less.
WORST = {
    "1n3Nb1/P2Q4/r2Q3Q/R1B5/7N/BBq4r/6K1/Qb2kB1B w - - 0 1": "c5b4",
    "1BQq1qqn/nQ1r1pBq/q6B/b4k1B/R7/b6N/2r1N1QP/BK2n1bn w - - 0 1": "b7d5",
    "k7/8/8/8/8/8/8/K1QQQQQQ w - - 0 1": "c1c7",
}


def test_worst_moves_stay_far_below_what_is_allowed() -> None:
    """With the longest history."""
    history, gas = bytes(range(12)) * 99, []
    for fen, move in WORST.items():
        at = position(chess.Board(fen), 300)
        played = after(Board(at.position + history, at.turn), coded(chess.Move.from_uci(move)))
        assert played is not None
        gas.append(played.gas)
    assert 300_000 < max(gas) < 500_000  # of 1,500,000


def test_view_shows_and_reads() -> None:
    view = view_of("Chess")
    rows = view.draw(RULES.start(bytes(32)).position).splitlines()
    assert (rows[0], rows[6]) == ("8 r n b q k b n r", "2 P P P P P P P P")
    for text in ("e2e4", "e7e8q", "a7b8n"):
        assert view.read(text) == coded(chess.Move.from_uci(text))
