"""Keeps the hub's credit where its operator wants it, and says so before gas money runs out.

Credit comes from the account in transactions of its own, one at a time; what channels bring back
beyond twice the target is claimed. The account always keeps what it takes to leave every channel
alone, at twice today's price of gas: credit does not pay for gas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from perun.bindings import ms_contract_calls
from perun.chain.wishes import Wish
from perun.core import gas
from perun.core.books import Books
from perun.core.inputs import CommandClaim
from perun.hub.rows import Filling
from perun.node.guest import Desk
from perun.types import ETH, Address, Record, UnixTime, Wei

__all__ = ["FUND", "GasLow", "Short", "Treasury", "gas_reserve"]

FUND: Final = "FundCredit"
_LOW: Final = (3, 4)
"""Below this part of the target it is filled up."""
_WORTH: Final = 20
"""A filling brings at least so many times what its gas costs."""
_FUND_GAS: Final = 60_000
_PRICE_RISES: Final = 2
_EXITS_AT_LEAST: Final = 10
"""Gas money for so many exits is kept even with fewer channels."""


class GasLow(Record, frozen=True):
    """The account has less ETH than leaving all channels could cost."""

    account: Address
    balance: Wei
    needed: Wei


class Short(Record, frozen=True):
    """The account cannot fill the credit up to what its operator wants."""

    account: Address
    credit: Wei
    wanted: Wei
    balance: Wei
    """What the account has beside its gas money."""


Told = GasLow | Short
Look = Callable[[Address, Callable[[Desk, Wei | None], None]], None]


def gas_reserve(books: Books) -> Wei:
    """What the account keeps to leave every channel alone, in wei."""
    channels = max(len(books.indexes.answered_for), _EXITS_AT_LEAST)
    return Wei(_PRICE_RISES * channels * gas.leaving_gas(1, 1) * books.chain.gas_price)


class Treasury:
    """In the node's thread."""

    def __init__(
        self,
        wanted: Wei,
        look_up: Look,
        submit: Callable[[Wish], None],
        tell: Callable[[Told], None],
    ) -> None:
        """Args:
        wanted: the credit that its operator wants.
        submit: hands a wish to the chain port.
        tell: hears what its operator should know, once each time it becomes so.
        """
        self._wanted = wanted
        self._look_up, self._submit, self._tell = look_up, submit, tell
        self.filling = Filling(0, Wei(0), UnixTime(0), over=True)
        self.balance: Wei | None = None
        """Of the account, as last seen."""
        self._asking = False
        self._looked = -1
        self._paid_in: int | None = None
        self._claimed_until = UnixTime(0)
        self._was: tuple[bool, bool] = (False, False)

    def load(self, row: Filling) -> None:
        """Its row."""
        self.filling = row

    def look(self, desk: Desk) -> None:
        """With every block."""
        if desk.books.exit_only:
            return
        if not self.filling.over:
            self._follow(desk)
        if not self._asking and desk.books.chain.head_number != self._looked:
            self._asking = True
            self._looked = desk.books.chain.head_number
            self._look_up(desk.books.config.identity.account, self._found)

    def is_paid(self, desk: Desk, key: bytes, block: int) -> None:
        """A transaction of ours is in a final block."""
        if not self.filling.over and key == _key(self.filling.number):
            self._paid_in = block
            self._follow(desk)

    def _follow(self, desk: Desk) -> None:
        chain, filling = desk.books.chain, self.filling
        mined = self._paid_in is not None and chain.final_number > self._paid_in
        if mined or chain.final_time > filling.until:
            self._paid_in = None
            self.filling = replace(filling, over=True)
            desk.put(self.filling)
            return
        self._submit(_wish(desk.books, filling))

    def _found(self, desk: Desk, balance: Wei | None) -> None:
        self._asking = False
        if balance is None:
            return
        self.balance = balance
        books = desk.books
        credit_row = books.credits.get((ETH, books.config.identity.account))
        if credit_row is None:
            return
        credit, reserve = credit_row.amount, gas_reserve(books)
        spare = Wei(max(0, balance - reserve))
        self._warn(books, credit, balance, reserve, spare)
        part, whole = _LOW
        if credit > 2 * self._wanted:
            self._claim(desk, Wei(credit - self._wanted))
        elif self.filling.over and credit * whole < self._wanted * part:
            amount = Wei(min(self._wanted - credit, spare))
            if amount > _WORTH * _FUND_GAS * books.chain.gas_price:
                self._fill(desk, amount)

    def _fill(self, desk: Desk, amount: Wei) -> None:
        books = desk.books
        until = UnixTime(books.chain.head_time + books.config.limits.offer_validity)
        self.filling = Filling(self.filling.number + 1, amount, until)
        desk.put(self.filling)
        wish = _wish(books, self.filling)
        desk.after(lambda: self._submit(wish))

    def _claim(self, desk: Desk, amount: Wei) -> None:
        chain, config = desk.books.chain, desk.books.config
        if amount <= _WORTH * gas.CLAIM_GAS * chain.gas_price:
            return
        if chain.final_time <= self._claimed_until:
            return  # The last one may not be final yet; credit tells only what is.
        self._claimed_until = UnixTime(chain.head_time + config.limits.offer_validity)
        desk.do(CommandClaim(ETH, amount, config.identity.account))

    def _warn(self, books: Books, credit: Wei, balance: Wei, reserve: Wei, spare: Wei) -> None:
        account = books.config.identity.account
        low = balance < reserve
        part, whole = _LOW
        short = self.filling.over and credit * whole < self._wanted * part
        short = short and spare < self._wanted - credit
        was_low, was_short = self._was
        if low and not was_low:
            self._tell(GasLow(account, balance, reserve))
        if short and not was_short:
            self._tell(Short(account, credit, self._wanted, spare))
        self._was = low, short


def _key(number: int) -> bytes:
    return b"hub fills" + number.to_bytes(8, "big")


def _wish(books: Books, filling: Filling) -> Wish:
    contract = books.config.deployment.contract.contract
    account = books.config.identity.account
    call = ms_contract_calls.fund(contract, ETH, account, filling.amount)
    return Wish(_key(filling.number), FUND, call, filling.until, once=True)
