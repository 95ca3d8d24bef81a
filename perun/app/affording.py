"""What our account has on chain: told with a status, and enough for what it is asked to send."""

from __future__ import annotations

from msgspec.structs import replace

from perun.app.errors import AccountTooPoor
from perun.app.methods import Open, TopUp
from perun.app.values import Status
from perun.app.work import Ask
from perun.core import gas
from perun.core.books import Books
from perun.types import ETH, ChannelId, Wei

__all__ = ["require_ether", "with_outside"]


def require_ether(books: Books, has: Wei | None, params: Open | TopUp) -> None:
    """Raises `AccountTooPoor`: the transaction would wait for money, and lapse.

    Args:
        has: what the account has on chain; None: not known now, and not asked for.
    """
    if has is None:
        return
    if isinstance(params, TopUp):
        view = books.channels.get(ChannelId(bytes.fromhex(params.channel[2:])))
        is_ether = view is not None and view.channel.asset == ETH
        needed = gas.DEPOSIT_GAS
    else:
        is_ether = not int(params.asset or "0x0", 16)
        needed = gas.OPEN_BOTH_GAS if params.draw else gas.OPEN_GAS
    price = needed * books.chain.gas_price + (int(params.amount) if is_ether else 0)
    if has < price:
        raise AccountTooPoor(has, Wei(price))


def with_outside(item: Ask, found: Wei | None) -> Ask:
    """A question for a status, whose answer names what the account has on chain, if it is known."""

    def reply(answer: object) -> None:
        if isinstance(answer, Status) and found is not None:
            answer = replace(answer, outside=str(found))
        item.reply(answer)

    return replace(item, reply=reply)
