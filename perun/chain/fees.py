"""What we bid for gas: enough for the next blocks, more each time a transaction is left lying.

Source: EIP-1559. The base fee rises by at most an eighth per block, so that twice the present one
lasts for six full blocks.
"""

from __future__ import annotations

from typing import Final

from perun.bindings.calls import Fees
from perun.types import Record, Seconds, Wei

__all__ = ["GWEI", "FeePolicy", "first_fees", "higher_fees", "lower_fees"]

GWEI: Final = Wei(10**9)


class FeePolicy(Record, frozen=True, gc=False):
    """How an account bids. Prices are wei per gas."""

    least_tip: Wei = Wei(GWEI // 1_000)
    """A chain may say that nobody tips; builders leave transactions without any lying."""
    first_tip: Wei = Wei(50 * GWEI)
    """No first bid tips more: a tip is paid in full, and the node that names it may lie. A dearer
    one is reached by raises."""
    greatest: Wei = Wei(1_000 * GWEI)
    """Never more in all: above that a dispute waits for cheaper gas, or for its owner's word."""
    patience: int = 3
    """Blocks that go by before a bid is raised …"""
    hurry: Seconds = Seconds(600)
    """… or one, if the end of a transaction's use is nearer than this."""
    step: int = 25
    """Per cent of each raise. Nodes want ten at least, some 12.5, else they refuse to replace."""


def first_fees(policy: FeePolicy, base_fee: Wei, tip: Wei) -> Fees:
    """A bid on a chain with this base fee and usual tip."""
    tip = Wei(max(min(tip, policy.first_tip), policy.least_tip))
    most = min(2 * base_fee + tip, policy.greatest)
    return Fees(Wei(most), Wei(min(tip, most)))


def higher_fees(policy: FeePolicy, old: Fees, base_fee: Wei, tip: Wei) -> Fees | None:
    """A bid that replaces `old` under the same nonce; None if that is more than we ever pay."""
    now = first_fees(policy, base_fee, tip)
    most, raised_tip = (
        max(now.most, _raised(policy, old.most)),
        max(now.tip, _raised(policy, old.tip)),
    )
    if most > policy.greatest:
        return None
    return Fees(Wei(most), Wei(min(raised_tip, most)))


def lower_fees(policy: FeePolicy, old: Fees, base_fee: Wei) -> Fees | None:
    """A bid for a pool to which `old` was too dear, halfway to the least that the next block takes;
    None if it is there already. Pools have caps of their own, and some chains' want a fee besides.
    """
    least = base_fee + base_fee // 8 + policy.least_tip
    most = (old.most + least) // 2
    if (old.most - most) * 100 < least:
        return None
    return Fees(Wei(most), Wei(min(old.tip, most - base_fee)))


def _raised(policy: FeePolicy, price: Wei) -> int:
    return price + price * policy.step // 100 + 1
