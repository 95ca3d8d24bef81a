"""A daemon's settings as the policy of its node."""

from __future__ import annotations

from typing import Final

from perun.app.settings import KnownToken
from perun.core.config import HubPolicy, Policy, Worth
from perun.daemon.settings import BadSettings, HubSettings, Settings, TokenSettings
from perun.errors import PerunError
from perun.hub.acceptance import Bounds
from perun.hub.tariff import Prices
from perun.types import ETH, Address, Asset, Seconds, Wei
from perun.units import ETHER_UNITS, parse_units

__all__ = ["TEST_NETWORKS", "bounds_of", "policy_of", "prices_of", "tokens_of"]

TEST_NETWORKS: Final = frozenset({11_155_111, 560_048, 31_337, 131_277_322_940_537})
"""Where money is worth nothing: Sepolia, Hoodi, anvil's and eth-tester's chains."""
_DAY: Final = 86_400
_TIMES: Final = 10
"""All deposits together, by default: so many times the credit that is kept at hand."""


def policy_of(settings: Settings) -> Policy:
    """What the core is told to agree to without asking."""
    given, hub = settings.policy, settings.hub
    tokens = {token.asset: settings.tokens[token.symbol] for token in tokens_of(settings)}
    return Policy(
        assets=(ETH, *tokens),
        worths=tuple(_worth(asset, one) for asset, one in tokens.items() if one.for_one_ether),
        unpriced=tuple(asset for asset, one in tokens.items() if not one.for_one_ether),
        greatest_deposit=Wei(int(given.greatest_deposit)),
        greatest_deposits=_maybe(given.greatest_deposits),
        greatest_lock=_maybe(given.greatest_lock),
        greatest_fee=Wei(int(given.greatest_fee)),
        greatest_loss=Wei(int(given.greatest_loss)),
        hub=None if hub is None else _hub_policy(hub),
    )


def tokens_of(settings: Settings) -> tuple[KnownToken, ...]:
    """The tokens that have a name here.

    Raises:
        BadSettings: the address is ETH's.
    """
    found = []
    for symbol, token in settings.tokens.items():
        asset = Asset(Address(bytes.fromhex(token.address[2:])))
        if asset == ETH or symbol.lower() in ETHER_UNITS:
            raise BadSettings(f"[tokens.{symbol}]", "ETH is no token")
        found.append(KnownToken(asset, symbol, token.decimals))
    return tuple(found)


def _worth(asset: Asset, token: TokenSettings) -> Worth:
    try:
        return Worth(asset, parse_units(token.for_one_ether, token.decimals), Wei(10**18))
    except PerunError as error:
        raise BadSettings("[tokens] for_one_ether", str(error)) from None


def prices_of(hub: HubSettings) -> Prices:
    """What our share in a channel costs."""
    return Prices(
        Wei(int(hub.open_fee)), hub.share_day_ppm, Seconds(hub.paid_days * _DAY), hub.exit_gas
    )


def bounds_of(hub: HubSettings) -> Bounds:
    """How much of our money may be where."""
    most = hub.greatest_deposits
    return Bounds(Wei(int(_TIMES * hub.credit if most is None else most)))


def _hub_policy(hub: HubSettings) -> HubPolicy:
    usual = HubPolicy()
    return HubPolicy(
        base_fee=Wei(int(hub.base_fee)),
        amount_ppm=hub.amount_ppm,
        amount_day_ppm=hub.amount_day_ppm,
        open_fee=Wei(int(hub.open_fee)),
        greatest_draw=Wei(int(hub.greatest_share)),
        asks=True,
        greatest_lock=usual.greatest_lock
        if hub.greatest_lock is None
        else Wei(int(hub.greatest_lock)),
        peer_quota=usual.peer_quota if hub.peer_quota is None else Wei(int(hub.peer_quota)),
    )


def _maybe(amount: int | None) -> Wei | None:
    return None if amount is None else Wei(int(amount))
