"""Gives newcomers of a test network a little ether, within limits that outlive restarts.

Each account once, each network address and each day so often; never what the hub needs for gas. A
gift is a row before it is a transaction: asked for again, it is the same gift.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.bindings.calls import Call
from perun.chain.wishes import Wish
from perun.core.books import Books
from perun.encoding.records import Extra
from perun.hub.treasury import gas_reserve
from perun.node.guest import Desk
from perun.types import Address, Record, Seconds, UnixTime, Wei

__all__ = ["GIFT", "Faucet", "Generosity", "Gift"]

GIFT: Final = "FaucetGift"
_DAY: Final = 86_400
_KEEP: Final = 30 * _DAY
"""An account may ask again after so long."""


class Generosity(Record, frozen=True):
    """What anybody gets."""

    amount: Wei
    each_address: int
    """Gifts to one network address in 24 hours …"""
    each_day: int
    """… and to all."""


class Gift(Extra, frozen=True, array_like=True):
    """One; its number is part of what the chain port knows it by."""

    table: ClassVar[str] = "hub_gifts"
    account: Address
    number: int
    group: str
    amount: Wei
    at: UnixTime
    until: UnixTime
    """Last second at which it may be mined."""
    over: bool = False
    """It is in a final block, or came too late."""

    @property
    def row_key(self) -> bytes:
        """One for each account."""
        return self.account


class Faucet:
    """In the node's thread."""

    def __init__(self, generosity: Generosity, submit: Callable[[Wish], None]) -> None:
        """Args:
        submit: hands a wish to the chain port.
        """
        self._generosity, self._submit = generosity, submit
        self._gifts: dict[Address, Gift] = {}
        self._next = 1

    def load(self, row: Gift) -> None:
        """One of its rows."""
        self._gifts[row.account] = row
        self._next = max(self._next, row.number + 1)

    def ask(self, desk: Desk, account: Address, group: str, balance: Wei | None) -> Gift | str:
        """The account's gift, which is on its way; or why there is none.

        Args:
            balance: of the hub's account; None: not seen yet.
        """
        books, terms = desk.books, self._generosity
        known = self._gifts.get(account)
        if known is not None and not known.over:
            return known
        why = self._why_not(books, known, group, balance)
        if why is not None:
            return why
        length = Seconds(books.config.limits.offer_validity)
        gift = Gift(
            account,
            self._next,
            group,
            terms.amount,
            books.chain.clock,
            UnixTime(books.chain.head_time + length),
        )
        self._next += 1
        self._put(desk, gift)
        desk.after(lambda: self._submit(_wish(gift)))
        return gift

    def _why_not(
        self, books: Books, known: Gift | None, group: str, balance: Wei | None
    ) -> str | None:
        terms, now = self._generosity, books.chain.clock
        if known is not None:
            return f"this account has had {known.amount} wei already"
        today = [gift for gift in self._gifts.values() if now - gift.at < _DAY]
        if sum(gift.group == group for gift in today) >= terms.each_address:
            return f"your address has had {terms.each_address} gifts today"
        if len(today) >= terms.each_day:
            return f"{terms.each_day} gifts were given today; come back tomorrow"
        under_way = sum(gift.amount for gift in self._gifts.values() if not gift.over)
        if balance is None or balance - under_way - gas_reserve(books) < terms.amount:
            return "the faucet is empty"
        return None

    def look(self, desk: Desk) -> None:
        """With every block: goes on with what is under way, forgets what is long over."""
        chain = desk.books.chain
        for gift in list(self._gifts.values()):
            if not gift.over and chain.final_time > gift.until:
                self._put(desk, replace(gift, over=True))
            elif not gift.over:
                self._submit(_wish(gift))
            elif chain.clock - gift.at > _KEEP:
                del self._gifts[gift.account]
                desk.drop(gift)

    def is_paid(self, desk: Desk, key: bytes) -> Wei:
        """A transaction of ours is in a final block: what it has given, if it is a gift."""
        for gift in list(self._gifts.values()):
            if not gift.over and _key(gift) == key:
                self._put(desk, replace(gift, over=True))
                return gift.amount
        return Wei(0)

    def _put(self, desk: Desk, gift: Gift) -> None:
        self._gifts[gift.account] = gift
        desk.put(gift)


def _key(gift: Gift) -> bytes:
    return b"hub gives" + gift.number.to_bytes(8, "big")


def _wish(gift: Gift) -> Wish:
    return Wish(_key(gift), GIFT, Call(gift.account, b"", gift.amount), gift.until, once=True)
