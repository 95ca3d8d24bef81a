"""Which code may be the rules of a game: what it can reach sees its input and nothing else.

Both players and the chain must get one answer from one input, whatever gas is left, whoever asks
and whenever. So every instruction that can be reached must be on a list. What can be reached is
found as the EVM finds it (`perun.referee.bytecode`). A compiler's trailer, which a plain sweep
would read as LOG and SELFDESTRUCT, is behind an end.

This is sound, not complete: a table in the code that happens to contain the byte of JUMPDEST may
refuse pure code. Compile it again with another constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from perun.errors import Misuse
from perun.referee.bytecode import INVALID, JUMPDEST, RETURN, REVERT, instructions

__all__ = ["MOST_CREATION", "NotAdmitted", "admit"]

_ALLOWED: Final = frozenset(
    {
        *range(0x0C),  # STOP, arithmetic
        *range(0x10, 0x1E),  # comparison, bits
        0x20,  # KECCAK256
        0x34,  # CALLVALUE: always 0 in a static call; the compiler asks
        *range(0x35, 0x3A),  # CALLDATALOAD, -SIZE, -COPY, CODESIZE, CODECOPY
        0x3D,  # RETURNDATASIZE: always 0 without calls
        0x3E,  # RETURNDATACOPY
        *range(0x50, 0x54),  # POP, MLOAD, MSTORE, MSTORE8
        *range(0x56, 0x5A),  # JUMP, JUMPI, PC, MSIZE
        JUMPDEST,
        0x5E,  # MCOPY
        *range(0x5F, 0xA0),  # PUSH, DUP, SWAP
        RETURN,
        REVERT,
        INVALID,
    }
)

_NAMES: Final = {
    0x30: "ADDRESS", 0x31: "BALANCE", 0x32: "ORIGIN", 0x33: "CALLER", 0x3A: "GASPRICE",
    0x3B: "EXTCODESIZE", 0x3C: "EXTCODECOPY", 0x3F: "EXTCODEHASH", 0x40: "BLOCKHASH",
    0x41: "COINBASE", 0x42: "TIMESTAMP", 0x43: "NUMBER", 0x44: "PREVRANDAO", 0x45: "GASLIMIT",
    0x46: "CHAINID", 0x47: "SELFBALANCE", 0x48: "BASEFEE", 0x49: "BLOBHASH", 0x4A: "BLOBBASEFEE",
    0x54: "SLOAD", 0x55: "SSTORE", 0x5A: "GAS", 0x5C: "TLOAD", 0x5D: "TSTORE", 0x1E: "CLZ",
    0xA0: "LOG0", 0xA1: "LOG1", 0xA2: "LOG2", 0xA3: "LOG3", 0xA4: "LOG4", 0xF0: "CREATE",
    0xF1: "CALL", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFA: "STATICCALL",
    0xFF: "SELFDESTRUCT",
}  # fmt: skip

_MOST_CODE: Final = 0x6000
"""Longest code of a contract, bytes (EIP-170)."""


MOST_CREATION: Final = 2 * _MOST_CODE
"""Longest code that makes a contract's, bytes (EIP-3860)."""


@dataclass(eq=False)
class NotAdmitted(Misuse):
    """Code that may not be the rules of a game: `what`, at this byte of it."""

    what: str
    offset: int

    template: ClassVar[str] = "the rules' code has {what} at byte {offset}"
    hint: ClassVar[str] = (
        "rules are pure functions of their input: sign no game with these, and take it out of yours"
    )


def admit(code: bytes, most: int = _MOST_CODE) -> None:
    """Nothing, if `code` may be the rules of a game.

    Args:
        code: what stands at the contract's address; or what puts it there, which then puts the same
            there whoever runs it, and whenever.
        most: how long it may be.

    Raises:
        NotAdmitted: it can reach an instruction that looks beyond its input, or is no code of a
            contract at all.
    """
    if not code:
        raise NotAdmitted("nothing", 0)
    if code[0] == 0xEF:
        # Other formats of code, and accounts that borrow theirs (EIP-3541, EIP-7702).
        raise NotAdmitted("the prefix 0xEF", 0)
    if len(code) > most:
        raise NotAdmitted(f"{len(code)} bytes, more than {most},", most)
    for at, opcode, _, reachable in instructions(code):
        if reachable and opcode not in _ALLOWED:
            raise NotAdmitted(_NAMES.get(opcode, f"the undefined 0x{opcode:02x}"), at)
