"""What we bid for gas: enough for the next blocks, more each time a transaction is left lying.

Source: EIP-1559. The base fee rises by at most an eighth per block, so that twice the present one
lasts for six full blocks.
"""

from __future__ import annotations

from typing import Final

from perun.bindings.calls import Fees
from perun.types import Record, Seconds, Wei

__all__ = ["GWEI", "FeePolicy", "first_fees", "higher_fees", "lower_fees", "most_now", "usual_now"]

GWEI: Final = Wei(10**9)


class FeePolicy(Record, frozen=True, gc=False):
    """How an account bids. Prices are wei per gas."""

    least_tip: Wei = Wei(GWEI // 1_000)
    """A chain may say that nobody tips; builders leave transactions without any lying."""
    first_tip: Wei = Wei(50 * GWEI)
    """No first bid tips more: a tip is paid in full, and the node that names it may lie. A dearer
    one is reached by raises."""
    greatest: Wei = Wei(1_000 * GWEI)
    """Never more in all: above that a dispute waits for cheaper gas, or for its owner's word; but
    what is about to be lost is worth what it saves."""
    calm: int = 3
    """Times the usual base fee that is bid at most for what has time, while gas is dearer …"""
    usual: Seconds = Seconds(6 * 3_600)
    """… than in so long a time."""
    patience: int = 3
    """Blocks that go by before a bid is raised …"""
    hurry: Seconds = Seconds(600)
    """… or one, if the end of a transaction's use is nearer than this."""
    step: int = 25
    """Per cent of each raise. Nodes want ten at least, some 12.5, else they refuse to replace."""


def most_now(
    policy: FeePolicy, base_fee: Wei, usual: Wei, left: Seconds | None, worth: Wei | None
) -> Wei:
    """What a bid may be at most, in wei per gas, for something that has time, or has not.

    Who bids by the newest base fee drives it up for all, for himself too. So what has time waits
    while gas is dearer than usual; the nearer its end, the more it bids. Where gas is not dear a
    bid that lies is raised as ever: somebody may keep it out.

    Args:
        usual: base fee of the last hours.
        left: seconds until it is of no use any more; None: it has no end.
        worth: price of gas at which it costs what it saves; None: not known.
    """
    most: int = policy.greatest
    near = 2 * policy.hurry
    if left is not None and left > near:
        calm = max(policy.calm * usual, policy.greatest * near // left)
        if 2 * base_fee > calm:
            most = min(most, calm)
    elif left is not None and worth is not None:
        most = max(most, worth)
    return Wei(most if worth is None else min(most, worth))


def first_fees(policy: FeePolicy, base_fee: Wei, tip: Wei, most: Wei | None = None) -> Fees:
    """A bid on a chain with this base fee and usual tip, and of no more than `most`."""
    tip = Wei(max(min(tip, policy.first_tip), policy.least_tip))
    whole = min(2 * base_fee + tip, policy.greatest if most is None else most)
    return Fees(Wei(whole), Wei(min(tip, whole)))


def higher_fees(
    policy: FeePolicy, old: Fees, base_fee: Wei, tip: Wei, most: Wei | None = None
) -> Fees | None:
    """A bid that replaces `old` under the same nonce; None if that is more than `most`, or than we
    ever pay. Builders are never paid more than `policy.greatest`, however much the chain takes: a
    node that keeps bids to itself could have us raise tips without end."""
    now = first_fees(policy, base_fee, tip, most)
    whole, raised_tip = (
        max(now.most, _raised(policy, old.most)),
        max(now.tip, _raised(policy, old.tip)),
    )
    if whole > (policy.greatest if most is None else most):
        return None
    return Fees(Wei(whole), Wei(min(raised_tip, whole, policy.greatest)))


def lower_fees(policy: FeePolicy, old: Fees, base_fee: Wei) -> Fees | None:
    """A bid for a pool to which `old` was too dear, halfway to the least that the next block takes;
    None if it is there already. Pools have caps of their own, and some chains' want a fee besides.
    """
    least = base_fee + base_fee // 8 + policy.least_tip
    most = (old.most + least) // 2
    if (old.most - most) * 100 < least:
        return None
    return Fees(Wei(most), Wei(min(old.tip, most - base_fee)))


def usual_now(policy: FeePolicy, usual: Wei, base_fee: Wei, seconds: int) -> Wei:
    """The base fee of the last hours, after so many more seconds and a block of this one."""
    passed = max(0, min(seconds, policy.usual))
    return Wei(usual + (base_fee - usual) * passed // policy.usual)


def _raised(policy: FeePolicy, price: Wei) -> int:
    return price + price * policy.step // 100 + 1
