"""Bech32m: bytes as letters and digits that nobody mistypes unnoticed (BIP 350, BIP 173).

Any error in at most four characters is noticed, any other with all but one chance in 2**30.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["decode", "encode"]

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M: Final = 0x2BC830A3
_LONGEST: Final = 90
"""Characters up to which the promise above holds."""


def encode(prefix: str, data: bytes) -> str:
    """Lower case text of `data`, which begins with `prefix` and a 1."""
    values = _regroup(data, 8, 5, pad=True)
    check = _checksum((*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0)) ^ _BECH32M
    values += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(_LETTERS[value] for value in values)


def decode(prefix: str, text: str) -> bytes:
    """The bytes of a text that begins with `prefix` and a 1, in lower or in upper case.

    Raises:
        ValueError: says which rule the text breaks.
    """
    if text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case are mixed")
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text)} characters, more than {_LONGEST}")
    start, separator, rest = text.lower().rpartition("1")
    if not separator or start != prefix:
        raise ValueError(f"it does not begin with {prefix}1")
    strange = next((place for place, letter in enumerate(rest) if letter not in _VALUES), None)
    if strange is not None:
        raise ValueError(f"{rest[strange]!r} at place {len(start) + 2 + strange} is never used")
    values = [_VALUES[letter] for letter in rest]
    if len(values) < 6 or _checksum((*_expanded(prefix), *values)) != _BECH32M:
        raise ValueError("the checksum is wrong: a character is mistyped, missing or too many")
    return bytes(_regroup(values[:-6], 5, 8, pad=False))


def _expanded(prefix: str) -> tuple[int, ...]:
    letters = prefix.encode("ascii")
    return (*(letter >> 5 for letter in letters), 0, *(letter & 31 for letter in letters))


def _checksum(values: Sequence[int]) -> int:
    """The remainder of a polynomial over 32 elements (BIP 173)."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            if top >> place & 1:
                check ^= generator
    return check


def _regroup(values: Iterable[int], old: int, new: int, *, pad: bool) -> list[int]:
    """Groups of `old` bits as groups of `new` bits; what is left over is padded, or must be 0."""
    kept, bits, groups = 0, 0, []
    for value in values:
        kept, bits = kept << old | value, bits + old
        while bits >= new:
            bits -= new
            groups.append(kept >> bits & (1 << new) - 1)
        kept &= (1 << bits) - 1
    if pad:
        if bits:
            groups.append(kept << new - bits & (1 << new) - 1)
    elif bits >= old or kept:
        raise ValueError("bits are left over at its end")
    return groups
