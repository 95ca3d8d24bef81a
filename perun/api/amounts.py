"""Amounts as people and programs write them: `5`, `"0.1 ether"`, `"5 USDC"`.

Names of tokens are the node's, from its settings; the clients ask for them when one is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from perun.app.values import Network, Token
from perun.errors import BadUnits, Misuse
from perun.units import ETHER_UNITS, parse_units

__all__ = [
    "ETH_NAME",
    "NoUnit",
    "OtherAsset",
    "UnknownUnit",
    "has_names",
    "has_units",
    "in_digits",
    "read_amount",
    "read_asset",
    "tokens_among",
]

ETH_NAME: Final = "0x" + 40 * "0"
"""Of ETH among assets."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(eq=False)
class UnknownUnit(Misuse):
    """An amount in something that the node has no name for."""

    text: str
    known: str

    template: ClassVar[str] = "{text} is in no unit that is known here: {known}"
    hint: ClassVar[str] = 'write 0.1ether or "5 USDC"; tokens have names in [tokens] of perun.toml'


@dataclass(eq=False)
class NoUnit(Misuse):
    """A part of something, and nobody says of what."""

    text: str

    template: ClassVar[str] = "{text} has no unit"
    hint: ClassVar[str] = 'write 0.1ether or "5 USDC"; a number alone counts the smallest unit'


@dataclass(eq=False)
class OtherAsset(Misuse):
    """An amount of one asset where another one is meant."""

    text: str
    wanted: str

    template: ClassVar[str] = "{text} is not in {wanted}"
    hint: ClassVar[str] = "give the amount in the asset that it is about"


def read_amount(
    given: object, tokens: Sequence[Token], asset: str | None = None
) -> tuple[str, str | None]:
    """Digits of the smallest unit, and of which asset: None if neither unit nor `asset` says.

    Args:
        given: an integer, or text: digits, or a decimal number with a unit.
        asset: which one it must be, by address.

    Raises:
        UnknownUnit, NoUnit, OtherAsset, BadUnits: it cannot be meant.
    """
    if type(given) is int and given >= 0:
        return str(given), asset
    if not isinstance(given, str):
        raise BadUnits(given, 18)
    number, unit = _split(given)
    if not number:
        raise BadUnits(given, 18)
    if not unit and "." in number:
        raise NoUnit(given)
    if not unit:
        return str(parse_units(number, 0)), asset
    found, decimals = _unit(given, unit, tokens)
    if asset is not None and asset.lower() != found.lower():
        raise OtherAsset(given, _name(asset, tokens))
    return str(parse_units(number, decimals)), asset or found


def read_asset(given: str, tokens: Sequence[Token]) -> str:
    """The address of an asset that is given by name or address. Raises `UnknownUnit`."""
    return given if _is_address(given) else _unit(given, given.strip(), tokens)[0]


def tokens_among(networks: Sequence[Network]) -> tuple[Token, ...]:
    """Those with a name on the node's own network."""
    return next((one.tokens for one in networks if one.current), ())


# ---------------------------------------------------------------------------- fields of a call


def has_units(fields: dict[str, Any]) -> bool:
    """Whether an amount of a call says what it is in."""
    return any(isinstance(fields[name], str) and _split(fields[name])[1] for name in _sums(fields))


def has_names(fields: dict[str, Any], about: str | None = None) -> bool:
    """Whether names of tokens are needed to read a call's amounts, or to say what is wrong."""
    asset = fields.get("asset") or about
    if asset is not None and asset.lower() not in (ETH_NAME, *ETHER_UNITS):
        return has_units(fields) or not _is_address(asset)
    texts = [fields[name] for name in _sums(fields) if isinstance(fields[name], str)]
    return any(unit.lower() not in ETHER_UNITS for _, unit in map(_split, texts) if unit)


def in_digits(
    fields: dict[str, Any], tokens: Sequence[Token], about: str | None = None
) -> dict[str, Any]:
    """The same call with its amounts in digits, and its asset by address.

    Args:
        about: the asset that the call is about, where it has no field for it.
    """
    asset = fields.get("asset")
    wanted = about if asset is None else read_asset(asset, tokens)
    plain = dict(fields)
    for name in _sums(fields):
        plain[name], wanted = read_amount(fields[name], tokens, wanted)
    return {**plain, "asset": wanted} if "asset" in fields else plain


def _sums(fields: dict[str, Any]) -> list[str]:
    names = [name for name in fields if name.lower().endswith("amount") or name == "fee"]
    return [name for name in names if fields[name] is not None]


def _split(text: str) -> tuple[str, str]:
    """A number and its unit: what follows a space (`5 1INCH`), or the first letters (`5ether`)."""
    number, _, unit = text.strip().partition(" ")
    if unit:
        return number, unit.strip()
    at = next((place for place, sign in enumerate(number) if sign in _LETTERS), len(number))
    return number[:at], number[at:]


def _unit(text: str, unit: str, tokens: Sequence[Token]) -> tuple[str, int]:
    if unit.lower() in ETHER_UNITS:
        return ETH_NAME, ETHER_UNITS[unit.lower()]
    for token in tokens:
        if token.symbol.lower() == unit.lower():
            return token.asset, token.decimals
    raise UnknownUnit(text, ", ".join(["ether", *(one.symbol for one in tokens)]))


def _name(asset: str, tokens: Sequence[Token]) -> str:
    if asset.lower() == ETH_NAME:
        return "ETH"
    return next((one.symbol for one in tokens if one.asset.lower() == asset.lower()), asset)


def _is_address(text: str) -> bool:
    return text.lower().startswith("0x")
