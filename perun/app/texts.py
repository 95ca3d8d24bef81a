"""Text to values and back, at the border of the interface."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from perun.app.errors import BadParams, NoSuch
from perun.app.shelf import Shelf
from perun.core.state import PeerId
from perun.crypto.hashing import keccak
from perun.encoding.addresses import node_id, parse_host, show_node_id
from perun.types import ETH, Address, Asset, Record, Wei
from perun.units import format_ether

__all__ = [
    "Who",
    "amount_of",
    "asset_of",
    "bytes_of",
    "hexed",
    "money",
    "show_account",
    "show_node",
    "who",
]

_PREFIX: Final = "perun1"

_MOST_KNOWN: Final = 65_536
"""Names that are remembered in both forms: checksums take longer than a signature."""

show_node: Final = lru_cache(_MOST_KNOWN)(show_node_id)
"""A node id as text."""

_node_of: Final = lru_cache(_MOST_KNOWN)(node_id)


class Who(Record, frozen=True):
    """Somebody, as our user names it."""

    peer: PeerId
    host: str = ""
    account: Address = Address(b"")


def who(shelf: Shelf, text: str) -> Who:
    """A node id, an address, or the name of a contact.

    Raises:
        NoSuch: a name that nobody has.
        BadNodeId, BadHost: mistyped.
    """
    text = text.strip()
    contact = shelf.contacts.get(text)
    if contact is not None:
        return Who(contact.peer, contact.host, contact.account)
    if not text.lower().startswith(_PREFIX):
        raise NoSuch("contact", text)
    name, at, host = text.partition("@")
    peer = _node_of(name)
    known = shelf.names.get(peer)
    account = known.account if known is not None else Address(b"")
    place = parse_host(host) if at else known.host if known is not None else ""
    return Who(peer, place, account)


def money(asset: Asset, amount: int) -> str:
    """An amount for people; a token's in its smallest unit."""
    return f"{format_ether(amount)} ETH" if asset == ETH else f"{amount} of {show_account(asset)}"


def amount_of(text: str) -> Wei:
    """An amount; the schema has seen to its digits."""
    value = int(text)
    if value >= 2**111:
        raise BadParams(f"{value} is more than any channel holds (2**111 - 1)")
    return Wei(value)


def asset_of(text: str | None) -> Asset:
    """An asset; None is ETH."""
    return ETH if text is None else Asset(Address(bytes.fromhex(text[2:])))


def bytes_of(text: str, length: int, what: str) -> bytes:
    """Bytes of a fixed length."""
    data = bytes.fromhex(text[2:])
    if len(data) != length:
        raise BadParams(f"{what} has {len(data)} bytes, not {length}")
    return data


def hexed(data: bytes) -> str:
    """Bytes as text."""
    return "0x" + data.hex()


@lru_cache(_MOST_KNOWN)
def show_account(address: bytes) -> str:
    """An address with its checksum (EIP-55)."""
    digits = address.hex()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, hashed, strict=False)
    )
