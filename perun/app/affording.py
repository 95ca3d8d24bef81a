"""What our account has on chain: told with a status, and enough for what it is asked to send."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from perun.app.errors import AccountTooPoor
from perun.app.methods import Params
from perun.app.values import Status
from perun.app.work import Ask, Caller
from perun.types import ETH, Asset, Wei

__all__ = ["knowing", "require_ether", "with_outside"]


def require_ether(caller: Caller, asset: Asset, amount: int, gas_cost: Wei) -> None:
    """Raises `AccountTooPoor`: the transaction would wait for money, and lapse.

    Args:
        amount: what it puts into the contract.
    """
    price = Wei(gas_cost + (amount if asset == ETH else 0))
    if caller.outside is not None and caller.outside < price:
        raise AccountTooPoor(caller.outside, price)


def knowing(item: Ask, params: Params, has: Wei | None) -> Ask:
    """What is asked for and costs a transaction, with what our account has on chain."""
    return replace(item, params=params, caller=dataclasses.replace(item.caller, outside=has))


def with_outside(item: Ask, found: Wei | None) -> Ask:
    """A question for a status, whose answer names what the account has on chain, if it is known."""

    def reply(answer: object) -> None:
        if isinstance(answer, Status) and found is not None:
            answer = replace(answer, outside=str(found))
        item.reply(answer)

    return replace(item, reply=reply)
