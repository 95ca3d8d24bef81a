"""What gas costs, said in an asset: the limits are in wei, locks and channels in anything."""

from __future__ import annotations

from perun.core.config import Policy
from perun.types import ETH, Asset, Wei

__all__ = ["dust_of", "worth_of"]


def worth_of(policy: Policy, asset: Asset, wei: Wei) -> Wei | None:
    """Smallest units of an asset that are worth at least `wei`; None if its price is not known."""
    if asset == ETH or not wei:
        return wei
    for worth in policy.worths:
        if worth.asset == asset:
            return Wei(-(-wei * worth.units // worth.wei))
    return None


def dust_of(policy: Policy, asset: Asset, dust: Wei) -> Wei:
    """`Limits.dust` in an asset's smallest unit; without a price nothing is too small."""
    return worth_of(policy, asset, dust) or Wei(0)
