"""What it costs to be paid by the chain, and whether a channel is worth that.

Gas is `perun.core.gas`; prices move: what is worth it today may not be tomorrow.
"""

from __future__ import annotations

from msgspec.structs import replace

from perun.chain.endpoint import Endpoint, Sending
from perun.chain.fees import FeePolicy, first_fees
from perun.core.gas import CLAIM_GAS, SUBMIT_GAS, leaving_gas, register_gas, settle_gas
from perun.core.limits import Limits
from perun.types import Wei

__all__ = [
    "CLAIM_GAS",
    "SUBMIT_GAS",
    "gas_price",
    "leaving_gas",
    "priced",
    "priced_now",
    "reckoned",
    "register_gas",
    "settle_gas",
]


def gas_price(node: Sending, base_fee: Wei, policy: FeePolicy | None = None) -> Wei:
    """What gas costs now, in wei: twice the base fee and a tip, as the submitter would bid."""
    return first_fees(policy or FeePolicy(), base_fee, node.tip()).most


def priced_now(limits: Limits, endpoint: Endpoint, policy: FeePolicy | None = None) -> Limits:
    """`priced` at what gas costs now.

    Raises:
        ChainFault: the chain cannot be asked.
    """
    head = endpoint.block()
    assert head is not None  # Asked without a number there is one, or a fault.
    return priced(limits, gas_price(endpoint, head.base_fee, policy))


def reckoned(limits: Limits) -> Limits:
    """Limits under which nothing is agreed to that, at the price of gas on that day, costs more to
    enforce than it holds, and nothing submitted that costs more than it brings."""
    return replace(limits, submit_gas=SUBMIT_GAS, leave_gas=leaving_gas(nanos=1, evidence=1))


def priced(limits: Limits, price: Wei) -> Limits:
    """Limits under which nothing is agreed to that costs more to enforce than it holds, at a price
    of gas that stays. Tokens are compared by the prices in `Policy.worths`.

    Args:
        price: of gas, in wei.
    """
    return replace(
        limits,
        dust=Wei(max(limits.dust, SUBMIT_GAS * price)),
        least_channel=Wei(leaving_gas(nanos=1, evidence=1) * price),
    )
