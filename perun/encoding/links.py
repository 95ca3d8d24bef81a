"""`perun:` links: whom to pay, and a payment request with its signature (protocol, section 11).

    perun:perun1…[@host]
    perun:perun1…[@host]?chain=…&genesis=…&contract=…&asset=…&amount=…&id=…&until=…&memo=…&relay=…&sig=…

As soon as one of a request's parameters is there, all but `memo` and `relay` must be. Parameters
whose names begin with `req-` must be understood, so they are refused; other unknown ones are
ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import parse_qsl, quote, urlencode

from perun.encoding.addresses import node_id, parse_host, show_node_id
from perun.encoding.requests import PaymentRequest, memo_hash
from perun.errors import Misuse
from perun.types import Address, Asset, ChainId, Record, Signature, UnixTime, Wei

__all__ = ["MAX_LINK", "BadLink", "Link", "parse_link", "show_link"]

MAX_LINK: Final = 2_048
"""Characters: a QR code of version 40 holds more."""

_SCHEME: Final = "perun:"
_NEEDED: Final = ("chain", "genesis", "contract", "asset", "amount", "id", "until", "sig")
_KNOWN: Final = frozenset({*_NEEDED, "memo", "relay"})
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,77}")


@dataclass(eq=False)
class BadLink(Misuse):
    """Text that is no `perun:` link, or one whose parts contradict each other."""

    why: str

    template: ClassVar[str] = "not a payment request: {why}"
    hint: ClassVar[str] = "ask the payee for it again; do not pay what was changed on its way"


class Link(Record, frozen=True):
    """Whom to pay, and what for."""

    payee: bytes
    host: str = ""
    """Where the payee, or the hub in front of it, listens; not signed: the session proves it."""
    request: PaymentRequest | None = None
    chain_id: ChainId = ChainId(0)
    memo: str = ""
    relay_host: str = ""
    signature: Signature = Signature(b"")


def show_link(link: Link) -> str:
    """The link as text."""
    place = f"@{link.host}" if link.host else ""
    text = f"{_SCHEME}{show_node_id(link.payee)}{place}"
    request = link.request
    if request is None:
        return text
    fields = {
        "chain": str(link.chain_id),
        "genesis": request.genesis.hex(),
        "contract": request.contract.hex(),
        "asset": request.asset.hex(),
        "amount": str(request.amount),
        "id": request.id.hex(),
        "until": str(request.until),
    }
    if link.memo:
        fields["memo"] = link.memo
    if request.relay:
        relay = show_node_id(request.relay)
        fields["relay"] = f"{relay}@{link.relay_host}" if link.relay_host else relay
    fields["sig"] = link.signature.hex()
    return f"{text}?{urlencode(fields, quote_via=quote, safe='@:')}"


def parse_link(text: str) -> Link:
    """Reads what somebody was given. The signature is not checked here.

    Raises:
        BadLink: no link, parts missing, twice, or of another form.
        BadNodeId, BadHost: the payee, or the hub.
    """
    if len(text) > MAX_LINK:
        raise BadLink(f"longer than {MAX_LINK} characters")
    if not text.lower().startswith(_SCHEME):
        raise BadLink("it does not begin with perun:")
    target, _, query = text[len(_SCHEME) :].partition("?")
    payee, host = _node(target)
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise BadLink("its parameters are not of the form name=value") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise BadLink("a parameter comes twice")
    for name in values:
        if name.startswith("req-"):
            raise BadLink(f"it wants {name}, which this program does not know")
    if not _KNOWN & values.keys():
        return Link(payee, host)
    missing = [name for name in _NEEDED if name not in values]
    if missing:
        raise BadLink(f"{', '.join(missing)} missing: a price without signature and end")
    memo = values.get("memo", "")
    relay, relay_host = _node(values["relay"]) if values.get("relay") else (b"", "")
    try:
        request = PaymentRequest(
            payee,
            _bytes(values["genesis"]),
            Address(_bytes(values["contract"])),
            Asset(Address(_bytes(values["asset"]))),
            Wei(_number(values["amount"])),
            _bytes(values["id"]),
            UnixTime(_number(values["until"])),
            memo_hash(memo),
            relay,
        )
    except Misuse as error:
        raise BadLink(str(error)) from None
    chain, signature = ChainId(_number(values["chain"])), Signature(_bytes(values["sig"]))
    return Link(payee, host, request, chain, memo, relay_host, signature)


def _node(text: str) -> tuple[bytes, str]:
    name, at, host = text.partition("@")
    return node_id(name), parse_host(host) if at else ""


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise BadLink(f"{text!r} is no hex") from None


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadLink(f"{text!r} is no number")
    return int(text)
