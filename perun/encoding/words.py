"""32-byte words of the Solidity ABI. Values are in range already: the records saw to that."""

from __future__ import annotations

from collections.abc import Sequence

_PAD_ADDRESS = bytes(12)


def unsigned(value: int) -> bytes:
    """An unsigned integer or bool."""
    return value.to_bytes(32, "big")


def signed(value: int) -> bytes:
    """A signed integer, in two's complement."""
    return value.to_bytes(32, "big", signed=True)


def address(value: bytes) -> bytes:
    """20 bytes, padded on the left."""
    return _PAD_ADDRESS + value


def tail(value: bytes) -> bytes:
    """Dynamic `bytes`: length, then content padded to whole words."""
    return unsigned(len(value)) + value + bytes(-len(value) % 32)


def tails(values: Sequence[bytes]) -> bytes:
    """Dynamic `bytes[]`: how many, where each begins, then each as `tail`."""
    made = [tail(value) for value in values]
    heads = b""
    offset = 32 * len(made)
    for one in made:
        heads += unsigned(offset)
        offset += len(one)
    return unsigned(len(made)) + heads + b"".join(made)
