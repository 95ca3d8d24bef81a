"""Ways in code that lead where no instruction is, as somebody writes them who hides something.

No EVM jumps into pushed data, so nothing behind such a way is ever run, and `perun.referee` admits
it. But no compiler writes one: whoever did hopes for a reader, or an EVM, that takes it for code.
A target is followed through the stack, from the last place that is jumped to; one that comes out of
memory or from farther away is not, and ends a game that goes there.
"""

from __future__ import annotations

from typing import Final

from perun.referee.bytecode import JUMP, JUMPDEST, PUSH0, PUSH32, Instruction, instructions
from perun.referee.plain import PURE

__all__ = ["passages"]

_JUMPI, _CODESIZE, _PC = 0x57, 0x38, 0x58
_WORD: Final = 2**256

_MOVES: Final = {
    0x20: (2, 1), 0x34: (0, 1), 0x35: (1, 1), 0x36: (0, 1), 0x37: (3, 0), 0x39: (3, 0),
    0x3D: (0, 1), 0x3E: (3, 0), 0x50: (1, 0), 0x51: (1, 1), 0x52: (2, 0), 0x53: (2, 0),
    JUMP: (1, 0), _JUMPI: (2, 0), 0x59: (0, 1), 0x5E: (3, 0),
}  # fmt: skip
"""What every other admitted instruction takes off the stack and puts there: nothing known."""


def passages(code: bytes) -> list[str]:
    """Each jump to a place that is none, in words, with its byte."""
    places, inside = _read(code)
    found = []
    for at, target in _jumps(code):
        if target in places:
            continue
        where = "into pushed data" if target in inside else "to where no code begins"
        found.append(f"it jumps at byte {at} {where}, byte {target}")
    return found


def _read(code: bytes) -> tuple[set[int], set[int]]:
    """Where jumps may go, and what lies in pushed data."""
    places, inside = set[int](), set[int]()
    for at, opcode, pushed, _ in instructions(code):
        if opcode == JUMPDEST:
            places.add(at)
        inside.update(range(at + 1, at + 1 + pushed))
    return places, inside


def _jumps(code: bytes) -> list[tuple[int, int]]:
    """Jumps that can be reached and whose target is known: (byte of the jump, target)."""
    found, stack = [], _Stack()
    for one in instructions(code):
        if not one.reachable:
            continue
        if one.opcode == JUMPDEST:
            stack = _Stack()
        target = stack.top()
        if one.opcode in (JUMP, _JUMPI) and target is not None:
            found.append((one.at, target))
        stack.take(one, code)
    return found


class _Stack:
    """What is known of it; None: not known."""

    def __init__(self) -> None:
        self._words: list[int | None] = []

    def top(self) -> int | None:
        """What the next instruction takes first."""
        return self._words[-1] if self._words else None

    def take(self, one: Instruction, code: bytes) -> None:
        """One instruction."""
        at, opcode, pushed, _ = one
        if PUSH0 <= opcode <= PUSH32:
            data = code[at + 1 : at + 1 + pushed].ljust(pushed, b"\0")
            self._words.append(int.from_bytes(data, "big"))
        elif 0x80 <= opcode <= 0x8F:
            self._deep(opcode - 0x7F)
            self._words.append(self._words[0x7F - opcode])
        elif 0x90 <= opcode <= 0x9F:
            self._deep(opcode - 0x8E)
            other = 0x8E - opcode
            self._words[-1], self._words[other] = self._words[other], self._words[-1]
        elif opcode in PURE:
            _, count, give = PURE[opcode]
            words = [self._pop() for _ in range(count)]
            known = [word for word in words if word is not None]
            self._words.append(give(*known) % _WORD if len(known) == count else None)
        elif opcode in (_CODESIZE, _PC):
            self._words.append(len(code) if opcode == _CODESIZE else at)
        else:
            taken, put = _MOVES.get(opcode, (0, 0))
            for _ in range(taken):
                self._pop()
            self._words += [None] * put

    def _pop(self) -> int | None:
        return self._words.pop() if self._words else None

    def _deep(self, count: int) -> None:
        """What lies below is unknown, and there."""
        self._words[:0] = [None] * (count - len(self._words))
