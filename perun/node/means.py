"""Whether whoever answers for others could pay for it: told before there is anything to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from perun.chain import costs
from perun.chain.endpoint import Sending
from perun.chain.reports import Report, TooPoor
from perun.chain.service import ChainService
from perun.errors import ChainFault
from perun.types import Address, Wei

__all__ = ["Means"]

_DEARER: Final = 10
"""How much more gas may cost on the day than it does now."""
_LOOKS_APART: Final = 256
"""Blocks."""


class Means:
    """Of one account; looked at now and then."""

    def __init__(
        self, endpoint: Sending, account: Address, report: Callable[[Report], None]
    ) -> None:
        """Asks nothing yet."""
        self._endpoint, self._account, self._report = endpoint, account, report
        self._next = 0

    def look(self, chain: ChainService) -> None:
        """Reports `TooPoor` if one registration could not be paid on a dear day; again with each
        look. A node that does not say a balance keeps nobody."""
        head = chain.follower.head
        if head is None or head.number < self._next:
            return
        self._next = head.number + _LOOKS_APART
        needed = Wei(_DEARER * costs.register_gas(0) * chain.price(head))
        try:
            balance = self._endpoint.balance(self._account)
        except ChainFault:
            return
        if balance < needed:
            self._report(TooPoor(b"", balance, needed))
