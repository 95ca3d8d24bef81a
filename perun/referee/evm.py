"""What the referee asks of an EVM: one static call of given code, in an empty world."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Failed", "Run"]

Run = Callable[[bytes, bytes, int], tuple[bytes, int]]
"""(code, calldata, gas) to (what came back, gas that the code used), or `Failed`."""


class Failed(Exception):
    """The call reverted or ran out of gas; `output` is what came back."""

    def __init__(self, output: bytes) -> None:
        super().__init__("the call failed")
        self.output = output
