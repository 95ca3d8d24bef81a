"""Tic-tac-toe and what a game comes to, told again from the specification."""

from __future__ import annotations

from collections.abc import Iterator

from perun.core.state import Role
from perun.types import Game, GameRecord

__all__ = ["free_cells", "loss", "outcome", "play", "replies", "share", "start", "until"]

_WHOLE = 10**9
_RESIGN = 255
_LINES = tuple(
    sum(1 << cell for cell in line)
    for line in (
        *((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8)),
        *((0, 4, 8), (2, 4, 6)),
    )
)


def start(setup: bytes) -> tuple[bytes, int]:
    """Position and turn."""
    return bytes(4), 1 + int.from_bytes(setup, "big")


def _marks(position: bytes) -> tuple[int, int]:
    return int.from_bytes(position[:2], "big"), int.from_bytes(position[2:], "big")


def free_cells(position: bytes) -> list[int]:
    """Where a move may go."""
    alice, bob = _marks(position)
    return [cell for cell in range(9) if not (alice | bob) >> cell & 1]


def play(position: bytes, turn: int, cell: int) -> tuple[bytes, int, int] | None:
    """Position, turn and result after a move; None: there is no such move."""
    wins = -_WHOLE if turn == 1 else _WHOLE
    if cell == _RESIGN:
        return position, 0, -wins
    if cell not in free_cells(position):
        return None
    marks = list(_marks(position))
    marks[turn - 1] |= 1 << cell
    after = b"".join(mark.to_bytes(2, "big") for mark in marks)
    if any(marks[turn - 1] & line == line for line in _LINES):
        return after, 0, wins
    return (after, 3 - turn, 0) if free_cells(after) else (after, 0, 0)


def share(game: Game, result: int) -> int:
    """What Alice pays Bob by a result."""
    lock = game.alice_lock if result > 0 else game.bob_lock
    amount: int = lock * min(abs(result), _WHOLE) // _WHOLE
    return amount if result > 0 else -amount


def loss(game: Game, role: Role) -> int:
    """What Alice pays Bob if this side loses all."""
    return game.alice_lock if role is Role.ALICE else -game.bob_lock


def replies(game: Game, position: bytes, turn: int, side: Role) -> Iterator[tuple[int, int, bytes]]:
    """Turn, shift and bytes of everything that `side` may propose after this position."""
    if turn == side + 1:
        for cell in (*range(9), _RESIGN):
            found = play(position, turn, cell)
            if found is not None:
                yield found[1], share(game, found[2]) if not found[1] else 0, found[0]
    yield 0, loss(game, side), position


def until(game: Game, on: GameRecord) -> int:
    """The last second of the side to move."""
    banks = (on.alice_left, on.bob_left) if on.live else (game.alice_bank, game.bob_bank)
    return on.start + banks[on.turn - 1]


def outcome(game: Game, on: GameRecord | None, time: int) -> int | None:
    """What Alice pays Bob by the record; None: it may still come to something else."""
    if on is None:
        return 0 if time > game.validity else None
    if on.turn == 0:
        return on.shift if on.live or time > on.start else None
    return loss(game, Role(on.turn - 1)) if time > until(game, on) else None
