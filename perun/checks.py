"""Refusals of values that no record may hold; each returns nothing or raises a `Misuse`.

The records of `perun.types` call these when they are made, so that a record which exists is in
range: an isolated check costs about 60 ns, a payment's signature 20 µs, so the hot path pays too.
"""

from __future__ import annotations

from perun.errors import AmountOutOfRange, NotAnAmount, OutOfRange, WrongLength, WrongType

# Source: protocol, section 2; every amount, `net` and `shift` then fits an int112.
MAX_AMOUNT = 2**111 - 1


def amount(field: str, value: object) -> None:
    """Money that moves or is locked: 0 … 2**111 − 1, a plain `int`.

    Raises:
        NotAnAmount: a bool, float, str, NaN or anything else that is not exactly an `int`.
        AmountOutOfRange: negative, or above 2**111 − 1.
    """
    if type(value) is not int:
        raise NotAnAmount(field, value, "an int of the asset's smallest unit")
    if not 0 <= value <= MAX_AMOUNT:
        raise AmountOutOfRange(field, value, 0, MAX_AMOUNT)


def signed_amount(field: str, value: object) -> None:
    """A difference of amounts, such as `net`: −(2**111 − 1) … 2**111 − 1, a plain `int`.

    Raises:
        NotAnAmount: not exactly an `int`.
        AmountOutOfRange: beyond 2**111 − 1 either way.
    """
    if type(value) is not int:
        raise NotAnAmount(field, value, "an int of the asset's smallest unit")
    if not -MAX_AMOUNT <= value <= MAX_AMOUNT:
        raise AmountOutOfRange(field, value, -MAX_AMOUNT, MAX_AMOUNT)


def wide_amount(field: str, value: object) -> None:
    """An amount that is no part of a channel, such as credit or a token's: 0 … 2**256 − 1.

    Raises:
        NotAnAmount: not exactly an `int`.
        AmountOutOfRange: negative, or above 2**256 − 1.
    """
    if type(value) is not int:
        raise NotAnAmount(field, value, "an int of the asset's smallest unit")
    if value < 0 or value >> 256:
        raise AmountOutOfRange(field, value, 0, 2**256 - 1)


def unsigned(field: str, value: object, bits: int) -> None:
    """A plain `int` that fits `bits` bits without sign.

    Raises:
        WrongType: not exactly an `int`.
        OutOfRange: negative, or at least 2**bits.
    """
    if type(value) is not int:
        raise WrongType(field, value, "an int")
    if value < 0 or value >> bits:
        raise OutOfRange(field, value, 0, (1 << bits) - 1)


def between(field: str, value: object, least: int, greatest: int) -> None:
    """A plain `int` from `least` to `greatest`, both included.

    Raises:
        WrongType: not exactly an `int`.
        OutOfRange: outside.
    """
    if type(value) is not int:
        raise WrongType(field, value, "an int")
    if not least <= value <= greatest:
        raise OutOfRange(field, value, least, greatest)


def length(field: str, value: object, expected: int) -> None:
    """Plain `bytes` of one length.

    Raises:
        WrongType: not `bytes` (so a hex string is refused: `perun.address` and friends read those).
        WrongLength: another length.
    """
    if not isinstance(value, bytes):
        raise WrongType(field, value, f"{expected} bytes")
    if len(value) != expected:
        raise WrongLength(field, len(value), expected)


def boolean(field: str, value: object) -> None:
    """Exactly `True` or `False`.

    Raises:
        WrongType: anything else.
    """
    if value is not True and value is not False:
        raise WrongType(field, value, "True or False")


def record(field: str, value: object, kind: type) -> None:
    """A record of one class.

    Raises:
        WrongType: anything else.
    """
    if type(value) is not kind:
        raise WrongType(field, value, f"a {kind.__name__}")


def records(field: str, value: object, kind: type) -> None:
    """A tuple of records of one class.

    Raises:
        WrongType: not a tuple, or an item of another class.
    """
    if type(value) is not tuple:
        raise WrongType(field, value, f"a tuple of {kind.__name__}")
    for item in value:
        if type(item) is not kind:
            raise WrongType(field, item, f"a {kind.__name__}")
