"""Bytecode read as the EVM reads it.

Execution begins at 0 and at every JUMPDEST, runs straight on, and ends at STOP, JUMP, RETURN,
REVERT or INVALID; bytes pushed are no instructions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = [
    "INVALID",
    "JUMP",
    "JUMPDEST",
    "PUSH0",
    "PUSH32",
    "RETURN",
    "REVERT",
    "Instruction",
    "instructions",
]

STOP, JUMP, JUMPDEST, RETURN, REVERT, INVALID = 0x00, 0x56, 0x5B, 0xF3, 0xFD, 0xFE
PUSH0, PUSH32 = 0x5F, 0x7F
_ENDS: Final = frozenset({STOP, JUMP, RETURN, REVERT, INVALID})


class Instruction(NamedTuple):
    """One of a contract's code."""

    at: int
    """Its byte."""
    opcode: int
    pushed: int
    """How many bytes behind it are pushed; the code may end before they do."""
    reachable: bool
    """Whether execution can come to it."""


def instructions(code: bytes) -> Iterator[Instruction]:
    """All of them, in order, what nobody reaches as well."""
    at, reachable = 0, True
    while at < len(code):
        opcode = code[at]
        pushed = opcode - PUSH0 if PUSH0 < opcode <= PUSH32 else 0
        reachable = reachable or opcode == JUMPDEST
        yield Instruction(at, opcode, pushed, reachable)
        reachable = reachable and opcode not in _ENDS
        at += 1 + pushed
