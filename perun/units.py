"""Text to wei and back, exactly; everything else in the package counts in plain integers.

No floats and no `decimal` contexts: money is digits, and a digit too many is refused, not rounded.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from perun.errors import AmountOutOfRange, BadUnits, NotAnAmount
from perun.types import MAX_AMOUNT, Wei

__all__ = ["ETHER_UNITS", "format_ether", "format_units", "parse_ether", "parse_units"]

ETHER_DECIMALS = 18
ETHER_UNITS: Final = MappingProxyType(
    {"wei": 0, "gwei": 9, "ether": ETHER_DECIMALS, "eth": ETHER_DECIMALS}
)
"""What people write behind amounts of ether, in small letters; so no token is called so."""
_MOST_DIGITS = 1000

# ASCII digits only, at most one point, at least one digit before it.
_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]*))?")


def parse_ether(text: str) -> Wei:
    """Wei of a decimal amount of ether, such as `"0.25"`.

    Raises:
        BadUnits: not text, no plain decimal number, or more than 18 decimals.
        AmountOutOfRange: above 2**111 − 1 wei (protocol, section 2).
    """
    return parse_units(text, ETHER_DECIMALS)


def parse_units(text: str, decimals: int) -> Wei:
    """Smallest units of a decimal amount of an asset with `decimals` decimals (ERC-20).

    Raises:
        BadUnits: not text, no plain decimal number, or more than `decimals` decimals.
        AmountOutOfRange: above 2**111 − 1 (protocol, section 2).
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise BadUnits(text, decimals)
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > decimals:
        raise BadUnits(text, decimals)
    digits = whole + fraction.ljust(decimals, "0")
    # Python itself refuses to read thousands of digits.
    if len(digits) > _MOST_DIGITS:
        raise BadUnits(text, decimals)
    value = int(digits)
    if value > MAX_AMOUNT:
        raise AmountOutOfRange("amount", value, 0, MAX_AMOUNT)
    return Wei(value)


def format_ether(wei: int) -> str:
    """A decimal amount of ether, exact, without trailing zeros: `"0.25"`, `"-1"`.

    Raises:
        NotAnAmount: not exactly an `int`.
    """
    return format_units(wei, ETHER_DECIMALS)


def format_units(amount: int, decimals: int) -> str:
    """A decimal amount of an asset with `decimals` decimals, exact, without trailing zeros.

    Raises:
        NotAnAmount: not exactly an `int`.
    """
    if type(amount) is not int:
        raise NotAnAmount("amount", amount, "an int of the asset's smallest unit")
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    fraction = fraction.rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
