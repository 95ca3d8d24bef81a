"""What gas costs, said in an asset: the limits are in wei, locks and channels in anything.

The price of gas is a reading that comes with every block. What must be done goes by today's; what
is agreed on, once, by today's as well, but never by less than the limits say.
"""

from __future__ import annotations

from perun.core.chain_view import ChainView
from perun.core.config import Config, Policy, Worth
from perun.core.limits import Limits
from perun.types import ETH, MAX_AMOUNT, Asset, Wei

__all__ = [
    "base_fee_of",
    "dust_of",
    "enforcing_costs",
    "greatest_fee_of",
    "least_channel",
    "least_lock",
    "most_of",
    "stake_of",
    "worth_of",
]


def worth_of(policy: Policy, asset: Asset, wei: Wei) -> Wei | None:
    """Smallest units of an asset that are worth at least `wei`; None if its price is not known."""
    if asset == ETH or not wei:
        return wei
    price = _price_of(policy, asset)
    return None if price is None else Wei(-(-wei * price.units // price.wei))


def stake_of(config: Config, asset: Asset, units: Wei) -> Wei | None:
    """What units of an asset are worth at most, in wei, to whoever weighs that against gas; None if
    nobody does under these limits, or its price is not known."""
    if not config.limits.submit_gas:
        return None
    if asset == ETH:
        return units
    price = _price_of(config.policy, asset)
    return None if price is None else Wei(-(-units * price.wei // price.units))


def most_of(policy: Policy, asset: Asset, wei: Wei) -> Wei:
    """A limit that is set in wei, in the smallest unit of the channel's asset, rounded down. In one
    without a price it is nothing: its units may be worth anything. No limit (`MAX_AMOUNT`) stays
    none."""
    if asset == ETH or wei >= MAX_AMOUNT:
        return wei
    price = _price_of(policy, asset)
    return Wei(0 if price is None else wei * price.units // price.wei)


def greatest_fee_of(policy: Policy, asset: Asset) -> Wei:
    """Most that we pay a hub for one instance, in the asset, in which a hub names its fee."""
    return most_of(policy, asset, policy.greatest_fee)


def base_fee_of(policy: Policy, asset: Asset) -> Wei:
    """What a hub takes for any instance, in the asset; nothing in one without a price."""
    hub = policy.hub
    return Wei(0) if hub is None else worth_of(policy, asset, hub.base_fee) or Wei(0)


# Rule dispute-4.
def enforcing_costs(limits: Limits, chain: ChainView) -> Wei:
    """What a submission costs today, in wei: a total that is worth less is not submitted."""
    today = limits.submit_gas * chain.gas_price
    return Wei(today) if today else limits.dust


# Rule limits-3.
def least_lock(limits: Limits, chain: ChainView) -> Wei:
    """Least lock of a new instance, in wei: what it could never be worth to enforce is refused."""
    return Wei(max(limits.dust, limits.submit_gas * chain.gas_price))


def least_channel(limits: Limits, chain: ChainView) -> Wei:
    """Least that a new channel holds, in wei."""
    return Wei(max(limits.least_channel, limits.leave_gas * chain.gas_price))


def dust_of(policy: Policy, asset: Asset, dust: Wei) -> Wei:
    """Dust in an asset's smallest unit; without a price nothing is too small."""
    return worth_of(policy, asset, dust) or Wei(0)


def _price_of(policy: Policy, asset: Asset) -> Worth | None:
    """As our user has set it; None: not set."""
    return next((worth for worth in policy.worths if worth.asset == asset), None)
