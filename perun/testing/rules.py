"""Rules of games for tests: the bytecode of this package, at made-up addresses."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode

from perun.bindings.artifacts import artifact
from perun.crypto.hashing import keccak
from perun.referee.evm import Failed
from perun.referee.here import run
from perun.referee.play import RULES_GAS
from perun.referee.rulebook import CodeBook
from perun.types import Address

__all__ = ["RULEBOOK", "RULES", "TIC_TAC_TOE", "CodeRules"]

TIC_TAC_TOE: Final = Address(b"\x77" * 20)

RULES: Final = {TIC_TAC_TOE: artifact("TicTacToe").runtime}
"""What stands where."""

RULEBOOK: Final = CodeBook(RULES, run)


class CodeRules:
    """The bytecode of rules, as the model of `TurnGame` asks it."""

    def __init__(self, code: bytes) -> None:
        self.code = code
        self.code_hash = keccak(code)

    def play(self, position: bytes, turn: int, move: bytes) -> tuple[bool, bytes]:
        """(success, what came back)."""
        call = keccak(b"play(bytes,uint8,bytes)")[:4]
        call += encode(["bytes", "uint8", "bytes"], [position, turn, move])
        try:
            return True, run(self.code, call, RULES_GAS)[0]
        except Failed as failed:
            return False, failed.output
