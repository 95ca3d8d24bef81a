"""Plays games by rules, all of them or many at random, and writes down what it sees.

Small games are searched whole: every position that can be reached, and every way from it. What is
too large is played at random, which shows what it meets and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Final

from perun.games import View
from perun.referee import Board, Limits, Played, Referee, RulesRefused

__all__ = ["Found", "search"]

_WHOLE: Final = 10**9
_TRIED: Final = 512
"""Moves tried in a position where neither a view says which, nor all can be."""

_AFTER: Final = 100
"""Moves tried yet once one has broken the rules: each of that kind takes all their gas."""


@dataclass(slots=True)
class Found:
    """What was seen; `faults` are what no rules may do."""

    whole: bool = False
    """Whether every position was searched."""
    positions: int = 0
    games: int = 0
    """Played at random, if it was not."""
    longest: int = 0
    """Moves of the longest game."""
    gas: int = 0
    """Most that a move used …"""
    dearest: str = ""
    """… and which."""
    faults: dict[str, str] = field(default_factory=dict)
    """By what is wrong: where it was met first."""

    def blame(self, what: str, where: str) -> None:
        """Writes a fault down, once."""
        self.faults.setdefault(what, where)


def search(
    referee: Referee, limits: Limits, view: View | None, effort: int, random: Random
) -> Found:
    """Plays until it has seen all, or has asked the rules about `effort` times."""
    player = _Player(referee, limits, view, effort, random)
    player.begin()
    if player.starts and not player.everything():
        player.at_random(effort // 2)
    return player.found


class _Player:
    def __init__(
        self, referee: Referee, limits: Limits, view: View | None, effort: int, random: Random
    ) -> None:
        self.found = Found()
        self.starts: list[Board] = []
        self._referee, self._limits, self._view = referee, limits, view
        self._left, self._random = effort, random
        self._useful: dict[bytes, None] = {}
        """Moves that were legal somewhere: worth another try."""

    def begin(self) -> None:
        """With either side moving first, as views ask for."""
        for setup in range(2):
            try:
                board = self._referee.start(setup.to_bytes(32, "big"))
            except RulesRefused as refused:
                if setup == 0 or refused.broken:
                    self.found.blame(f"it does not begin: {refused.reason}", f"setup {setup}")
                continue
            self._look(board.position)
            self.starts.append(board)

    # ------------------------------------------------------------------------------ every position

    def everything(self) -> bool:
        """Whether all positions were seen before the effort was spent."""
        ways: dict[Board, list[Board]] = {}
        todo = list(self.starts)
        while todo:
            board = todo.pop()
            if board in ways:
                continue
            ends, ways[board] = False, []
            for move in self._moves(board):
                if self._left <= 0:
                    return False
                played = self._play(board, move)
                if played is not None and played.turn:
                    ways[board].append(Board(played.position, played.turn))
                ends = ends or played is not None
            if not ends and self._sure(board):
                self._stuck(board)
            todo += ways[board]
        self.found.whole, self.found.positions = all(map(self._sure, ways)), len(ways)
        self._measure(ways)
        return self.found.whole

    def _measure(self, ways: dict[Board, list[Board]]) -> None:
        """The longest game, taking away what leads nowhere any more; what is left goes round."""
        above: dict[Board, list[Board]] = {board: [] for board in ways}
        left = {board: len(nexts) for board, nexts in ways.items()}
        for board, nexts in ways.items():
            for after in nexts:
                above[after].append(board)
        length = dict.fromkeys(ways, 1)
        ended = [board for board, count in left.items() if not count]
        while ended:
            board = ended.pop()
            del left[board]
            for before in above[board]:
                length[before] = max(length[before], length[board] + 1)
                left[before] -= 1
                if not left[before]:
                    ended.append(before)
        if left:
            where = _shown(next(iter(left)))
            self.found.blame("a game can go on for ever: a position comes again", where)
            return
        self.found.longest = max(length[board] for board in self.starts)
        self._check_length(self.found.longest, _shown(self.starts[0]))

    # ----------------------------------------------------------------------------------- at random

    def at_random(self, effort: int) -> None:
        """Games until the effort is spent."""
        found, seen, self._left = self.found, set[Board](), effort
        while self._left > 0:
            board, moves = self._random.choice(self.starts), 0
            while board.turn and self._left > 0:
                seen.add(board)
                played = self._any(board)
                if played is None:
                    break
                board, moves = Board(played.position, played.turn), moves + 1
                if moves > self._limits.moves:
                    break
            found.games += not board.turn
            found.longest = max(found.longest, moves)
            self._check_length(moves, _shown(board))
        found.positions = len(seen)

    def _any(self, board: Board) -> Played | None:
        """What the first legal move at hand leads to. Giving up is left to the last: it would end
        every game at once."""
        last = self._view.resignation() if self._view is not None else None
        moves = list(self._moves(board))
        self._random.shuffle(moves)
        moves.sort(key=lambda move: move == last or (len(move) == 1 and move == b"\xff"))
        for move in moves:
            if self._left <= 0:
                return None
            played = self._play(board, move)
            if played is not None:
                return played
        if self._sure(board):
            self._stuck(board)
        return None

    # ------------------------------------------------------------------------------------ one move

    def _moves(self, board: Board) -> Iterable[bytes]:
        named = self._named(board)
        if named is not None:
            return named
        if self._limits.move_bytes <= 1:
            return _all_bytes(self._limits.move_bytes)
        return [*self._useful][-_TRIED // 2 :] + [self._some() for _ in range(_TRIED // 2)]

    def _named(self, board: Board) -> list[bytes] | None:
        if self._view is None:
            return None
        try:
            named = self._view.tries(board.position)
            return None if named is None else list(named)
        except Exception as error:  # Somebody's own code: whatever it raises, it is told.
            self.found.blame(f"its view does not say what to try: {error!r}", _shown(board))
            return None

    def _sure(self, board: Board) -> bool:
        """Whether what is tried there is all that there is."""
        return self._limits.move_bytes <= 1 or self._named(board) is not None

    def _some(self) -> bytes:
        return self._random.randbytes(self._random.randint(1, min(self._limits.move_bytes, 64)))

    def _play(self, board: Board, move: bytes) -> Played | None:
        """What it leads to; None: refused."""
        self._left -= 1
        where = f"{_shown(board)}, move 0x{move.hex()}"
        try:
            played = self._referee.play(board, move)
        except RulesRefused as refused:
            if refused.broken:
                self.found.blame(f"a move breaks them: {refused.reason}", where)
                self._left = min(self._left, _AFTER)
            return None
        self._useful[move] = None
        if played.gas > self.found.gas:
            self.found.gas, self.found.dearest = played.gas, where
        if abs(played.result) > _WHOLE:
            self.found.blame(
                f"a payout of {played.result} parts, where {_WHOLE} are the whole stake", where
            )
        if len(played.position) > self._limits.position_bytes:
            self.found.blame(
                f"a position of {len(played.position)} bytes, where limits() says at most "
                f"{self._limits.position_bytes}",
                where,
            )
        self._look(played.position)
        return played

    def _look(self, position: bytes) -> None:
        """Whether the view can show it."""
        if self._view is None:
            return
        try:
            self._view.draw(position)
        except Exception as error:  # Somebody's own code: whatever it raises, it is told.
            self.found.blame(f"its view fails: {error!r}", f"position 0x{position.hex()}")

    def _stuck(self, board: Board) -> None:
        self.found.blame(
            "a position in which there is no legal move: whoever is to move loses by the clock",
            _shown(board),
        )

    def _check_length(self, moves: int, where: str) -> None:
        if moves > self._limits.moves:
            self.found.blame(
                f"a game of {moves} moves or more, where limits() says at most "
                f"{self._limits.moves}",
                where,
            )


def _all_bytes(length: int) -> Iterator[bytes]:
    return (bytes(each) for each in product(range(256), repeat=length))


def _shown(board: Board) -> str:
    side = ("nobody", "Alice", "Bob")[board.turn]
    return f"position 0x{board.position.hex()}, {side} to move"
