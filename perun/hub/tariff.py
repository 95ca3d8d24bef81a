"""What a hub's share in a channel costs whoever asks for it.

The amount times the time that is paid for, and the gas of one exit alone: what the hub pays if the
peer vanishes the next day. A price holds from one card to the next but one, because whoever offers
a channel has read a card a while ago.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from perun.core import gas
from perun.types import Record, Seconds, Wei

__all__ = ["Prices", "Tariff", "share_price"]

_MILLION: Final = 1_000_000
_DAY: Final = 86_400
_AHEAD: Final = (5, 4)
"""The price of gas that a card counts with: it may rise until the channel is offered."""


class Prices(Record, frozen=True):
    """As the operator sets them."""

    open_fee: Wei = Wei(0)
    """For every channel with a share of ours."""
    share_day_ppm: int = 0
    """Per million of our share, and day."""
    paid: Seconds = Seconds(30 * _DAY)
    """How long a channel lives for that; an idle one is closed afterwards."""
    exit_gas: bool = True
    """Whether the gas of one exit is part of the price."""

    @property
    def share_ppm(self) -> int:
        """Per million of our share, for the whole time."""
        return -(-self.share_day_ppm * self.paid // _DAY)


def share_price(flat: int, share_ppm: int, share: int) -> Wei:
    """What a share costs in all; rounded up."""
    return Wei(flat + -(-share * share_ppm // _MILLION))


class Tariff:
    """Prices, and the flat parts that cards have named. Any thread may ask."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self._named: deque[int] = deque(maxlen=2)

    def name(self, gas_price: int) -> Wei:
        """The flat part for a new card, at a price of gas."""
        up, down = _AHEAD
        flat = self._flat(gas_price * up // down)
        self._named.append(flat)
        return Wei(flat)

    def flat(self, gas_price: int) -> Wei:
        """The flat part in wei: as now, or as one of the newest two cards says."""
        return Wei(min((self._flat(gas_price), *self._named)))

    def least(self, share: int, flat: Wei) -> Wei:
        """What must be paid for a share, in its asset.

        Args:
            flat: the flat part, in that asset.
        """
        return share_price(flat, self.prices.share_ppm, share)

    def _flat(self, gas_price: int) -> int:
        exit_gas = gas.leaving_gas(0, 0) * gas_price if self.prices.exit_gas else 0
        return self.prices.open_fee + exit_gas
