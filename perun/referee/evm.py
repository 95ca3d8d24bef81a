"""What the referee asks of an EVM: one static call of given code, in an empty world."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Failed", "Run"]

Run = Callable[[bytes, bytes, int], tuple[bytes, int]]
"""(code, calldata, gas) to (what came back, gas that the code used), or `Failed`."""


class Failed(Exception):
    """The call reverted; `output` is what came back. Or, `halted`, the EVM ended it itself: it had
    no gas left, say, or jumped to where nothing is."""

    def __init__(self, output: bytes, *, halted: bool = False) -> None:
        super().__init__("the call failed")
        self.output, self.halted = output, halted
