"""Rules in an EVM of plain Python, which any host has: a page, too.

It knows what rules may do and nothing else: `perun.referee.admission` lets no other instruction be
reached. There are no accounts, no storage, no calls and no logs. Gas is counted as since Cancun
(EIP-3855, EIP-5656); a test compares answers and gas with revm's. Names, arguments and prices are
those of the Ethereum yellow paper, appendix H.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Never

from perun.crypto import keccak
from perun.referee.bytecode import JUMPDEST, PUSH0, PUSH32, instructions
from perun.referee.evm import Failed

__all__ = ["PURE", "run"]

_WORD: Final = 2**256
_SIGN: Final = 2**255
_DEEPEST: Final = 1024
_FARTHEST: Final = 2**32
"""No gas pays for memory beyond."""


def _signed(value: int) -> int:
    return value - _WORD if value & _SIGN else value


def _divide(a: int, b: int) -> int:
    """Towards zero."""
    return 0 if b == 0 else abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def _rest(a: int, b: int) -> int:
    """With the sign of `a`."""
    return 0 if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1)


def _extend(place: int, value: int) -> int:
    if place > 30:
        return value
    bit = 1 << 8 * place + 7
    return value | -bit if value & bit else value & bit - 1


PURE: Final[dict[int, tuple[int, int, Callable[..., int]]]] = {
    0x01: (3, 2, lambda a, b: a + b),
    0x02: (5, 2, lambda a, b: a * b),
    0x03: (3, 2, lambda a, b: a - b),
    0x04: (5, 2, lambda a, b: a // b if b else 0),
    0x05: (5, 2, lambda a, b: _divide(_signed(a), _signed(b))),
    0x06: (5, 2, lambda a, b: a % b if b else 0),
    0x07: (5, 2, lambda a, b: _rest(_signed(a), _signed(b))),
    0x08: (8, 3, lambda a, b, n: (a + b) % n if n else 0),
    0x09: (8, 3, lambda a, b, n: a * b % n if n else 0),
    0x0A: (10, 2, lambda a, b: pow(a, b, _WORD)),
    0x0B: (5, 2, _extend),
    0x10: (3, 2, lambda a, b: a < b),
    0x11: (3, 2, lambda a, b: a > b),
    0x12: (3, 2, lambda a, b: _signed(a) < _signed(b)),
    0x13: (3, 2, lambda a, b: _signed(a) > _signed(b)),
    0x14: (3, 2, lambda a, b: a == b),
    0x15: (3, 1, lambda a: a == 0),
    0x16: (3, 2, lambda a, b: a & b),
    0x17: (3, 2, lambda a, b: a | b),
    0x18: (3, 2, lambda a, b: a ^ b),
    0x19: (3, 1, lambda a: ~a),
    0x1A: (3, 2, lambda place, a: a >> 8 * (31 - place) & 255 if place < 32 else 0),
    0x1B: (3, 2, lambda by, a: a << by if by < 256 else 0),
    0x1C: (3, 2, lambda by, a: a >> by if by < 256 else 0),
    0x1D: (3, 2, lambda by, a: _signed(a) >> min(by, 255)),
}
"""Price, number of arguments, and what it gives, modulo 2**256."""

_EXP: Final = 0x0A
_COPIES: Final = {0x37, 0x39, 0x3E, 0x5E}
"""CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY."""


class _Halted(Exception):
    """The EVM ends it itself."""


class _Ended(Exception):
    """Its last instruction; what came back, and whether it is a refusal."""

    def __init__(self, output: bytes, *, reverted: bool = False) -> None:
        super().__init__()
        self.output, self.reverted = output, reverted


def run(code: bytes, call: bytes, gas: int) -> tuple[bytes, int]:
    """See `perun.referee.evm.Run`."""
    frame = _Frame(code, call, gas)
    try:
        frame.run()
    except _Ended as ended:
        if ended.reverted:
            raise Failed(ended.output) from None
        return ended.output, gas - frame.gas
    except (_Halted, IndexError):
        # An argument that is not on the stack ends it as the rest does.
        raise Failed(b"", halted=True) from None


@lru_cache(16)
def _landings(code: bytes) -> frozenset[int]:
    """Where jumps may go."""
    return frozenset(one.at for one in instructions(code) if one.opcode == JUMPDEST)


class _Frame:
    """One call."""

    def __init__(self, code: bytes, call: bytes, gas: int) -> None:
        self.code, self.call, self.gas = code, call, gas
        self.stack: list[int] = []
        self.memory = bytearray()
        self.at = 0

    def run(self) -> Never:
        """Raises `_Ended`, `_Halted`, or IndexError for an empty stack."""
        code, stack, size = self.code, self.stack, len(self.code)
        while True:
            opcode = code[self.at] if self.at < size else 0
            self.at += 1
            pure = PURE.get(opcode)
            if pure is not None:
                price, count, give = pure
                if opcode == _EXP:
                    price += 50 * (-(-stack[-2].bit_length() // 8))
                self.pay(price)
                stack.append(give(*[stack.pop() for _ in range(count)]) % _WORD)
            elif PUSH0 <= opcode <= PUSH32:
                self.pay(3 if opcode > PUSH0 else 2)
                end = self.at + opcode - PUSH0
                stack.append(int.from_bytes(code[self.at : end].ljust(end - self.at, b"\0"), "big"))
                self.at = end
            elif 0x80 <= opcode <= 0x8F:
                self.pay(3)
                stack.append(stack[0x7F - opcode])
            elif 0x90 <= opcode <= 0x9F:
                self.pay(3)
                other = 0x8E - opcode
                stack[-1], stack[other] = stack[other], stack[-1]
            else:
                self.rarer(opcode)
            if len(stack) > _DEEPEST:
                raise _Halted

    def rarer(self, opcode: int) -> None:
        """All that is not arithmetic and not the stack's alone."""
        pop, push = self.stack.pop, self.stack.append
        if opcode == 0x00:
            raise _Ended(b"")
        if opcode in (0xF3, 0xFD):
            output = self.read(pop(), pop())
            raise _Ended(output, reverted=opcode == 0xFD)
        if opcode == 0x20:
            start, size = pop(), pop()
            self.pay(30 + 6 * _words(size))
            push(int.from_bytes(keccak(self.read(start, size)), "big"))
        elif opcode in (0x34, 0x3D):  # CALLVALUE, RETURNDATASIZE
            self.pay(2)
            push(0)
        elif opcode == 0x35:
            self.pay(3)
            push(int.from_bytes(_cut(self.call, pop(), 32), "big"))
        elif opcode in _COPIES:
            self.copy(opcode, pop(), pop(), pop())
        elif opcode in (0x36, 0x38, 0x58, 0x59):
            self.pay(2)
            push({0x36: len(self.call), 0x38: len(self.code), 0x58: self.at - 1}.get(
                opcode, len(self.memory)
            ))  # fmt: skip
        elif opcode == 0x50:
            self.pay(2)
            pop()
        elif opcode == 0x51:
            self.pay(3)
            push(int.from_bytes(self.read(pop(), 32), "big"))
        elif opcode in (0x52, 0x53):
            start, value = pop(), pop()
            size = 32 if opcode == 0x52 else 1
            self.pay(3)
            self.write(start, (value % 2 ** (8 * size)).to_bytes(size, "big"))
        elif opcode == 0x56:
            self.pay(8)
            self.jump(pop())
        elif opcode == 0x57:
            self.pay(10)
            target, wanted = pop(), pop()
            if wanted:
                self.jump(target)
        elif opcode == JUMPDEST:
            self.pay(1)
        else:
            raise _Halted

    def copy(self, opcode: int, to: int, start: int, size: int) -> None:
        """Into memory."""
        self.pay(3 + 3 * _words(size))
        if opcode == 0x5E:
            self.write(to, self.read(start, size))
        elif opcode != 0x3E:
            self.write(to, _cut(self.call if opcode == 0x37 else self.code, start, size))
        elif start + size:
            raise _Halted  # Nothing has come back from anywhere.

    def jump(self, target: int) -> None:
        """Goes on there."""
        if target not in _landings(self.code):
            raise _Halted
        self.at = target

    def pay(self, price: int) -> None:
        """Takes gas."""
        self.gas -= price
        if self.gas < 0:
            raise _Halted

    def reach(self, start: int, size: int) -> None:
        """Pays for memory up to an end, and has it."""
        if size == 0 or start + size <= len(self.memory):
            return
        if start + size > _FARTHEST:
            raise _Halted
        had, wanted = len(self.memory) // 32, _words(start + size)
        self.pay(3 * (wanted - had) + wanted * wanted // 512 - had * had // 512)
        self.memory.extend(bytes(32 * (wanted - had)))

    def read(self, start: int, size: int) -> bytes:
        """Of memory."""
        self.reach(start, size)
        return bytes(self.memory[start : start + size]) if size else b""

    def write(self, start: int, data: bytes) -> None:
        """Into memory."""
        self.reach(start, len(data))
        if data:
            self.memory[start : start + len(data)] = data


def _words(size: int) -> int:
    return -(-size // 32)


def _cut(data: bytes, start: int, size: int) -> bytes:
    """Of data that is followed by zeros."""
    return data[start : start + size].ljust(size, b"\0") if start < len(data) else bytes(size)
