"""Our card, and those of others: written for a day, fetched from a host within bounds.

What a card says is believed as far as its signature goes: who, where, which prices. The contracts
that it names are compared with those that this node has proved by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

from perun.app.cards import CARD_PATH
from perun.app.settings import KnownToken
from perun.chain.provider import fetch
from perun.core.config import Config
from perun.core.rules.worth import base_fee_of, worth_of
from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.crypto.interop import checksum
from perun.encoding.addresses import show_node_id, url_of
from perun.encoding.cards import (
    Card,
    CardAsset,
    CardTerms,
    card_name,
    read_card,
    signed_card,
)
from perun.errors import ChainFault, PeerFault
from perun.node.settings import contracts_of
from perun.types import ETH, UnixTime, Wei

__all__ = [
    "CardKeeper",
    "Unreachable",
    "card_of",
    "fetch_card",
]

_LIFE: Final = 86_000
"""Seconds; a card may run a day at most, and clocks differ."""
_FRESH: Final = 3_600
"""A card is written anew after so many seconds."""
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 65_536


@dataclass(eq=False)
class Unreachable(PeerFault):
    """Nobody serves a card at a host."""

    host: str
    reason: str

    template: ClassVar[str] = "no card from {host}: {reason}"
    hint: ClassVar[str] = "check the address, and whether the node is running"


def fetch_card(host: str, *, peer: PeerId | None = None, least_serial: int = 0) -> Card:
    """The card that is served at a host, which may be ours.

    Args:
        host: `host[:port]`; one on this machine is asked without TLS.
        peer: whom it must be by.
        least_serial: of the newest card by this node that was seen before.

    Raises:
        Unreachable: nobody answers, or not with a card's length.
        CardMalformed, CardForged, CardFromAnother, CardStale, CardExpired: as `read_card` says.
    """
    try:
        status, body = fetch("GET", url_of(host, CARD_PATH), seconds=_SECONDS, most=_MOST_BYTES)
    except ChainFault as error:
        raise Unreachable(host, str(getattr(error, "reason", error))) from None
    if status != 200:
        raise Unreachable(host, f"HTTP {status}")
    now = UnixTime(int(time.time()))
    return read_card(body, now, peer=peer, least_serial=least_serial)


def card_of(
    config: Config,
    genesis: bytes,
    host: str,
    *,
    serial: int,
    until: UnixTime,
    offers: tuple[str, ...],
    software: str,
    share: tuple[Wei, Wei, int] | None = None,
    rules: Mapping[str, str] = MappingProxyType({}),
    tokens: Sequence[KnownToken] = (),
    neighbours: Sequence[str] = (),
) -> Card:
    """What our node has to say of itself.

    Args:
        share: of a hub: most of its share in a channel, what that costs in any case, and per
            million of it.
        rules: of games that we know, by name: whoever begins with this card can play them.
        tokens: that we deal in; prices in wei are in them what they are worth.
        neighbours: addresses of hubs with which we have open channels.
    """
    deployment, limits = config.deployment, config.limits
    most, flat, share_ppm = share or (Wei(0), Wei(0), 0)
    ether = _asset(config, KnownToken(ETH, "ETH", 18), most, flat, share_ppm)
    # Our shares are in ETH: that is what our till is kept in.
    others = (_asset(config, token, Wei(0), flat, share_ppm) for token in tokens)
    return Card(
        network=f"eip155:{deployment.contract.chain_id}",
        genesis="0x" + genesis.hex(),
        contracts={
            **{card_name(name): at for name, at in rules.items()},
            **{card_name(name): checksum(at) for name, at in contracts_of(deployment).items()},
        },
        node=show_node_id(config.identity.peer),
        host=host,
        account=checksum(config.identity.account),
        serial=serial,
        until=until,
        offers=offers,
        assets=(ether, *others),
        terms=CardTerms(
            limits.least_challenge, limits.greatest_challenge, limits.greatest_validity
        ),
        neighbours=tuple(neighbours),
        software=software,
    )


def _asset(config: Config, token: KnownToken, most: Wei, flat: Wei, share_ppm: int) -> CardAsset:
    policy, hub = config.policy, config.policy.hub
    least = worth_of(policy, token.asset, config.limits.least_channel)
    return CardAsset(
        asset=checksum(token.asset),
        symbol=token.symbol,
        decimals=token.decimals,
        least_channel=str(max(least or 1, 1)),
        greatest_channel=str(2**111 - 1),
        greatest_draw=str(most),
        open_fee=str(worth_of(policy, token.asset, flat) or 0),
        share_ppm=share_ppm,
        base_fee=str(base_fee_of(policy, token.asset)),
        amount_ppm=hub.amount_ppm if hub else 0,
        amount_day_ppm=hub.amount_day_ppm if hub else 0,
    )


class CardKeeper:
    """Our own card: written anew every hour, with a serial that rises across restarts."""

    def __init__(
        self,
        file: Path,
        key: SecretKey,
        make: Callable[[int, UnixTime], Card],
        about: Callable[[], object] = lambda: None,
    ) -> None:
        """Args:
        file: keeps the last serial.
        make: the card with a serial and an end.
        about: something that is another when a new card is due at once.
        """
        self._file, self._key, self._make, self._about = file, key, make, about
        self._said: object = None
        self._text = ""
        self._written = 0.0

    def text(self) -> str | None:
        """What to serve now."""
        about = self._about()
        if not self._text or about != self._said or time.monotonic() - self._written > _FRESH:
            now = UnixTime(int(time.time()))
            serial = max(now, self._last() + 1)
            # A crash between the two loses nothing but a number.
            self._file.write_text(str(serial), encoding="ascii")
            self._text = signed_card(self._make(serial, UnixTime(now + _LIFE)), self._key)
            self._written, self._said = time.monotonic(), about
        return self._text

    def _last(self) -> int:
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
