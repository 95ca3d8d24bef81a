"""Positions of chess, between python-chess and the bytes of the rules contract."""

from __future__ import annotations

import chess

from perun.bindings.artifacts import artifact
from perun.referee import Board, Played, Referee, RulesRefused
from perun.referee.here import run

__all__ = ["RULES", "after", "coded", "everywhere", "nodes", "position"]

RULES = Referee(artifact("Chess").runtime, run)

_RIGHTS = {chess.H1: 1, chess.A1: 2, chess.H8: 4, chess.A8: 8}


def position(board: chess.Board, plies: int | None = None) -> Board:
    """What the rules would have made, Alice white, with no earlier position to come again."""
    men = 0
    for square, piece in board.piece_map().items():
        men |= (piece.piece_type | (0 if piece.color else 8)) << 4 * square
    rights = sum(
        bit for corner, bit in _RIGHTS.items() if board.clean_castling_rights() >> corner & 1
    )
    passed = chess.square_file(board.ep_square) + 1 if board.has_legal_en_passant() else 0  # type: ignore[arg-type]
    number = board.ply() if plies is None else plies
    head = men.to_bytes(32, "big") + bytes([rights, passed, board.halfmove_clock])
    return Board(head + number.to_bytes(2, "big"), 1 if board.turn else 2)


def coded(move: chess.Move) -> bytes:
    """A move as the rules read it."""
    typed = move.from_square | move.to_square << 6 | (move.promotion or 0) << 12
    return typed.to_bytes(2, "big")


def after(board: Board, move: bytes) -> Played | None:
    """What it leads to; None: the rules refuse it."""
    try:
        return RULES.play(board, move)
    except RulesRefused as refused:
        if refused.broken:
            raise
        return None


def everywhere(board: Board) -> list[bytes]:
    """Every move from a square with a man of the side to move, and every promotion of its pawns."""
    men, black = int.from_bytes(board.position[:32], "big"), board.turn == 2
    found = []
    for start in range(64):
        man = men >> 4 * start & 15
        if not man or bool(man & 8) is not black:
            continue
        for end in range(64):
            last = man & 7 == 1 and end // 8 in (0, 7)
            found += [
                (start | end << 6 | kind << 12).to_bytes(2, "big")
                for kind in (range(7) if last else (0,))
            ]
    return found


def nodes(board: Board, depth: int) -> int:
    """Ways to make so many moves, as perft counts them: by the rules alone."""
    total = 0
    for move in everywhere(board):
        played = after(board, move)
        if played is not None:
            ended = played.turn == 0
            deeper = (
                1
                if depth == 1
                else 0
                if ended
                else nodes(Board(played.position, played.turn), depth - 1)
            )
            total += deeper
    return total
