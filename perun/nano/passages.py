"""Ways in code that lead where no instruction is, as somebody writes them who hides something.

No EVM jumps into pushed data, so nothing behind such a way is ever run, and `perun.referee` admits
it. But no compiler writes one: whoever did hopes for a reader, or an EVM, that takes it for code.
"""

from __future__ import annotations

from typing import Final

__all__ = ["passages"]

_JUMP, _JUMPI, _JUMPDEST, _PUSH1, _PUSH32 = 0x56, 0x57, 0x5B, 0x60, 0x7F
_ENDS: Final = frozenset({0x00, 0x56, 0xF3, 0xFD, 0xFE})


def passages(code: bytes) -> list[str]:
    """Each jump to a fixed place that is none, in words, with its byte."""
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
    places, inside, at = set[int](), set[int](), 0
    while at < len(code):
        size = _pushed(code[at])
        if code[at] == _JUMPDEST:
            places.add(at)
        inside.update(range(at + 1, at + 1 + size))
        at += 1 + size
    return places, inside


def _jumps(code: bytes) -> list[tuple[int, int]]:
    """Jumps right behind the push of their target: (byte of the jump, target)."""
    found, at, reachable = [], 0, True
    while at < len(code):
        size = _pushed(code[at])
        after = at + 1 + size
        reachable = reachable or code[at] == _JUMPDEST
        if reachable and size and after < len(code) and code[after] in (_JUMP, _JUMPI):
            found.append((after, int.from_bytes(code[at + 1 : after], "big")))
        if code[at] in _ENDS:
            reachable = False
        at = after
    return found


def _pushed(opcode: int) -> int:
    return opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0
