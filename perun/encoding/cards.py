"""A node's card: what it is, where, what it offers; signed by its node id (protocol, section 9).

    {"card": {…}, "signature": "0x…"}

The signature is over the hash of the card in canonical JSON (RFC 8785): no space, keys in order;
there are no fractions, and amounts are decimal text. Fields that are not known here are signed and
ignored, so a card may say more. A card chooses among contracts that its reader knows; it proves
none of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import msgspec

from perun.crypto import PublicKey, SecretKey, sign, verify_with
from perun.encoding.addresses import BadHost, BadNodeId, node_id, parse_host, show_node_id
from perun.encoding.wire_data import card_digest
from perun.errors import Misuse, PeerFault
from perun.nesting import is_deep_json
from perun.types import Signature, UnixTime

__all__ = [
    "Card",
    "CardAsset",
    "CardExpired",
    "CardForged",
    "CardFromAnother",
    "CardMalformed",
    "CardStale",
    "CardTerms",
    "LONGEST_LIFE",
    "canonical_json",
    "card_name",
    "read_card",
    "signed_card",
]

LONGEST_LIFE: Final = 86_400
"""Seconds. So a stolen host cannot show an old card for long."""
_LONGEST_TEXT: Final = 65_536
_GREATEST_INTEGER: Final = 2**53 - 1
_ADDRESS: Final = "^0x[0-9a-fA-F]{40}$"
_CAPITALS: Final = re.compile("^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]")
"""What of a name's beginning camel case writes small."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object; names in camel case, as in Solidity."""


class CardAsset(_Part, frozen=True, rename="camel"):
    """An asset that channels may be in; amounts are decimal text in its smallest unit."""

    asset: Annotated[str, msgspec.Meta(pattern=_ADDRESS)]
    """Address in hex; zeros for ETH."""
    symbol: str
    """For people; proves nothing."""
    decimals: int
    least_channel: str
    greatest_channel: str
    """Of what both sides deposit together."""
    greatest_draw: str = "0"
    """Most of that which comes from the node itself."""
    open_fee: str = "0"
    """For a channel that draws on the node's credit …"""
    share_ppm: Annotated[int, msgspec.Meta(ge=0)] = 0
    """… and per million of what it draws."""
    base_fee: str = "0"
    amount_ppm: int = 0
    """Per million of what is locked."""
    amount_day_ppm: int = 0

    def share_price(self, share: int) -> int:
        """What the opener pays by the first state for a share out of the node's credit.

        Raises:
            CardMalformed: the card names no price.
        """
        if not self.open_fee.isascii() or not self.open_fee.isdigit() or len(self.open_fee) > 40:
            raise CardMalformed(f"openFee {self.open_fee[:40]!r} is no amount")
        return int(self.open_fee) + -(-share * self.share_ppm // 1_000_000)


class CardTerms(_Part, frozen=True, rename="camel"):
    """Seconds."""

    least_challenge: int
    greatest_challenge: int
    greatest_validity: int


class Card(_Part, frozen=True, rename="camel"):
    """What a node says of itself."""

    network: str
    """CAIP-2, such as `eip155:1`."""
    genesis: str
    """Hash of the chain's first block, in hex."""
    contracts: dict[str, str]
    """Addresses in hex, by the contracts' names in lower camel case: `msContract`, `vpm`."""
    node: str
    """The node id that signs."""
    host: str
    """Where its links are: `host[:port]`."""
    serial: int
    """Rises with every change: a reader refuses a lower one than it has seen."""
    until: int
    """Unix time after which it says nothing."""
    offers: tuple[str, ...] = ()
    """Of `channels`, `relay`, `backup`, `tower`, `faucet`; others may come."""
    account: Annotated[str, msgspec.Meta(pattern=f"{_ADDRESS}|^$")] = ""
    """Address in hex that stands for the node in channels; empty: that of its key."""
    assets: tuple[CardAsset, ...] = ()
    terms: CardTerms | None = None
    software: str = ""
    version: int = 1
    neighbours: tuple[str, ...] = ()
    """Hubs that this one has channels with, `perun1…@host`: machines may go on to them."""

    @property
    def peer(self) -> bytes:
        """33 bytes: the node id that signs."""
        return node_id(self.node)


@dataclass(eq=False)
class CardMalformed(PeerFault):
    """Text that is no card."""

    reason: str

    template: ClassVar[str] = "no card: {reason}"
    hint: ClassVar[str] = "is this the address of a Perun node?"


@dataclass(eq=False)
class CardForged(PeerFault):
    """The card was not signed by the node that it names."""

    node: str

    template: ClassVar[str] = "the card is not signed by {node}, which it names"
    hint: ClassVar[str] = "somebody has altered it on the way; do not go on"


@dataclass(eq=False)
class CardFromAnother(PeerFault):
    """A good card, but of another node than the one that was looked for."""

    expected: str
    found: str

    template: ClassVar[str] = "the card is by {found}, not by {expected}"
    hint: ClassVar[str] = "the host belongs to somebody else now; ask the one you mean"


@dataclass(eq=False)
class CardStale(PeerFault):
    """An older card than one that was seen before."""

    seen: int
    offered: int

    template: ClassVar[str] = "the card has serial {offered}, below {seen}, which was seen before"
    hint: ClassVar[str] = "somebody replays it, or the node was restored from a backup"


@dataclass(eq=False)
class CardExpired(PeerFault):
    """A card out of its time."""

    now: UnixTime
    until: int

    template: ClassVar[str] = "the card ends at {until}, and now is {now}; it may run a day at most"
    hint: ClassVar[str] = "ask again later, and compare your clock"


def signed_card(card: Card, key: SecretKey) -> str:
    """The text to serve, signed.

    Raises:
        Misuse: the card names another node than the key's, or holds what JSON cannot.
    """
    own = show_node_id(_compressed(key.public_key))
    if card.node != own:
        raise NotOurs(own, card.node)
    content = msgspec.to_builtins(card)
    signature = sign(card_digest(canonical_json(content)), key)
    return canonical_json({"card": content, "signature": "0x" + signature.hex()}).decode()


@dataclass(eq=False)
class NotOurs(Misuse):
    """A card is to be signed that names somebody else."""

    own: str
    named: str

    template: ClassVar[str] = "the card names {named}; this key is {own}"


def read_card(
    text: str | bytes, now: UnixTime, *, peer: bytes | None = None, least_serial: int = 0
) -> Card:
    """The card in a text that somebody has served.

    Args:
        peer: whom it must be by; None: whoever it says.
        least_serial: of the newest card by this node that was seen before.

    Raises:
        CardMalformed, CardForged, CardFromAnother, CardStale, CardExpired: which says why.
    """
    content, signature = _taken_apart(text)
    try:
        card = msgspec.convert(content, Card)
        found, host = node_id(card.node), parse_host(card.host)
        digest = card_digest(canonical_json(content))
    except (msgspec.ValidationError, BadNodeId, BadHost, ValueError) as error:
        raise CardMalformed(str(error)) from None
    if card.version != 1 or host != card.host:
        raise CardMalformed(f"version {card.version}, host {card.host}")
    if not verify_with(digest, Signature(signature), PublicKey(found)):
        raise CardForged(card.node)
    if peer is not None and found != peer:
        raise CardFromAnother(show_node_id(peer), card.node)
    if card.serial < least_serial:
        raise CardStale(least_serial, card.serial)
    if not now <= card.until <= now + LONGEST_LIFE:
        raise CardExpired(now, card.until)
    return card


def card_name(contract: str) -> str:
    """A contract's name as cards write it: `MSContract` is `msContract` there, `VPM` is `vpm`."""
    return _CAPITALS.sub(lambda found: found[0].lower(), contract)


def canonical_json(value: Any) -> bytes:
    """RFC 8785, for what cards hold: objects with ASCII names, lists, text, small integers.

    Raises:
        ValueError: anything else.
    """
    _check(value, 8)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("a name is no ASCII text")
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth - 1)
    elif isinstance(value, float):
        raise ValueError("a fraction; amounts are decimal text")
    elif isinstance(value, int) and abs(value) > _GREATEST_INTEGER:
        raise ValueError("an integer beyond 2**53")


def _taken_apart(text: str | bytes) -> tuple[dict[str, Any], bytes]:
    if len(text) > _LONGEST_TEXT:
        raise CardMalformed(f"longer than {_LONGEST_TEXT} bytes")
    if is_deep_json(text.encode(errors="replace") if isinstance(text, str) else text):
        raise CardMalformed("nested too deep")
    try:
        whole = json.loads(text, object_pairs_hook=_unique)
        content, signature = whole["card"], bytes.fromhex(whole["signature"].removeprefix("0x"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CardMalformed(f"{type(error).__name__}: {error}"[:200]) from None
    if not isinstance(content, dict):
        raise CardMalformed("the card is no object")
    return content, signature


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _compressed(key: PublicKey) -> bytes:
    return bytes((2 + (key.data[63] & 1),)) + key.data[:32]
