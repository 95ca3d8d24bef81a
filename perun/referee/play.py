"""Runs the bytecode of a rules contract in an EVM of this process, as `TurnGame` would on chain.

The same code, the same input, at most the same gas: so the same answer, which a test compares with
the contract's own. Which EVM runs it is given: a page has another one than a daemon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from perun.crypto import keccak
from perun.encoding.abi import NotEncoded, decode_values, encode_values
from perun.errors import Misuse
from perun.referee.admission import admit
from perun.referee.evm import Failed, Run
from perun.types import Record

__all__ = ["RULES_GAS", "Board", "Limits", "Played", "Referee", "RulesRefused"]

RULES_GAS: Final = 3_000_000
"""The most gas that `TurnGame` gives the rules for a move."""

_UNREADABLE: Final = "an answer that cannot be read"
_POSITION_LIMIT: Final = 4_096
_ANSWER_LIMIT: Final = _POSITION_LIMIT + 160
_START: Final = keccak(b"start(bytes32)")[:4]
_PLAY: Final = keccak(b"play(bytes,uint8,bytes)")[:4]
_LIMITS: Final = keccak(b"limits()")[:4]
_ILLEGAL: Final = keccak(b"IllegalMove(bytes32)")[:4]


class Board(Record, frozen=True):
    """A position, and whose turn it is: 1 Alice, 2 Bob."""

    position: bytes
    turn: int


class Played(Record, frozen=True):
    """What a move leads to."""

    position: bytes
    turn: int
    """1 Alice, 2 Bob, 0 finished."""
    result: int
    """Parts of 10**9 of Alice's lock to Bob, or of Bob's to Alice (negative); 0 if not finished."""
    gas: int
    """What the rules used, of `RULES_GAS`."""


class Limits(Record, frozen=True):
    """How long games by these rules can become."""

    moves: int
    position_bytes: int
    move_bytes: int


@dataclass(eq=False)
class RulesRefused(Misuse):
    """The rules refuse a move or a setup, or fail as the chain would see them fail."""

    reason: str
    """The rules' own word for people, or what went wrong."""
    broken: bool = False
    """They do not refuse: they run on until the EVM stops them, or answer nonsense."""

    template: ClassVar[str] = "the rules refuse it: {reason}"
    hint: ClassVar[str] = "choose another move"


class Referee:
    """Judges moves by a rules contract's code."""

    def __init__(self, code: bytes, run: Run) -> None:
        """Args:
            code: what stands at the rules' address, compared with the game's `rulesHash` by whoever
                fetched it.
            run: an EVM; `perun.referee.here.run` is the best of this process.

        Raises:
            NotAdmitted: the code is not pure.
        """
        admit(code)
        self.code = code
        self.code_hash = keccak(code)
        self._run = run

    def start(self, setup: bytes) -> Board:
        """The position in which a game begins. Raises `RulesRefused` for an unknown setup."""
        position, turn = _decoded(self._ask(_START + setup)[0], ["bytes", "uint8"])
        if turn not in (1, 2):
            raise RulesRefused(f"it begins with turn {turn}", broken=True)
        return Board(position, turn)

    def play(self, board: Board, move: bytes) -> Played:
        """The position after a move, exactly as the chain would store it.

        Raises:
            RulesRefused: the move is illegal, or the rules fail.
        """
        call = _PLAY + encode_values(
            ["bytes", "uint8", "bytes"], [board.position, board.turn, move]
        )
        answer, gas = self._ask(call)
        position, turn, result = _read_play(answer)
        if turn > 2 or len(position) > _POSITION_LIMIT:
            said = f"turn {turn}, a position of {len(position)} bytes"
            raise RulesRefused(said, broken=True)
        return Played(position, turn, result if turn == 0 else 0, gas)

    def limits(self) -> Limits:
        """What the rules say of themselves."""
        return Limits(*_decoded(self._ask(_LIMITS)[0], ["uint32", "uint32", "uint32"]))

    def _ask(self, call: bytes) -> tuple[bytes, int]:
        try:
            answer, gas = self._run(self.code, call, RULES_GAS)
        except Failed as failed:
            if failed.halted:
                raise RulesRefused("they run out of gas, or into nothing", broken=True) from None
            raise RulesRefused(_reason(failed.output)) from None
        if len(answer) > _ANSWER_LIMIT:
            raise RulesRefused(f"an answer of {len(answer)} bytes", broken=True)
        return answer, gas


def _decoded(answer: bytes, types: list[str]) -> tuple[Any, ...]:
    try:
        return decode_values(types, answer)
    except NotEncoded:
        raise RulesRefused(_UNREADABLE, broken=True) from None


def _read_play(answer: bytes) -> tuple[bytes, int, int]:
    """What `play` says, read as the contract reads it: Solidity's `abi.decode` minds no bytes
    around those of the position, and what it takes on chain has to count off chain, too."""
    words = [answer[at : at + 32] for at in range(0, 96, 32)]
    place, turn, result = (int.from_bytes(word, "big") for word in words)
    result -= 2**256 if result >= 2**255 else 0
    begins = place + 32
    if len(answer) < 96 or begins > len(answer) or turn > 0xFF or not -(2**31) <= result < 2**31:
        raise RulesRefused(_UNREADABLE, broken=True)
    ends = begins + int.from_bytes(answer[place:begins], "big")
    if ends > len(answer):
        raise RulesRefused(_UNREADABLE, broken=True)
    return answer[begins:ends], turn, result


def _reason(output: bytes) -> str:
    """The word in `IllegalMove`, or that there is none."""
    if output[:4] == _ILLEGAL and len(output) == 36:
        return output[4:].rstrip(b"\0").decode("ascii", "replace") or "illegal move"
    return "they fail without a reason"
