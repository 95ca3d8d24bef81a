"""ERC-20 tokens, as far as channels need them (EIP-20)."""

from __future__ import annotations

from perun import checks
from perun.bindings import abi, events
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.front import Front
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike, address
from perun.types import Address, Asset, Wei

TRANSFER = "transfer(address,uint256)"
APPROVE = "approve(address,uint256)"
TRANSFER_FROM = "transferFrom(address,address,uint256)"
BALANCE_OF = "balanceOf(address)"
ALLOWANCE = "allowance(address,address)"
TOTAL_SUPPLY = "totalSupply()"
DECIMALS = "decimals()"
SYMBOL = "symbol()"
NAME = "name()"


def transfer(token: Address, to: Address, amount: Wei) -> Call:
    """Moves the sender's tokens."""
    checks.wide_amount("amount", amount)
    return Call(token, abi.encode_call(TRANSFER, to, amount))


def approve(token: Address, spender: Address, amount: Wei) -> Call:
    """Allows `spender`, MSContract for one, to move up to `amount` of the sender's tokens."""
    checks.wide_amount("amount", amount)
    return Call(token, abi.encode_call(APPROVE, spender, amount))


def transfer_from(token: Address, owner: Address, to: Address, amount: Wei) -> Call:
    """Moves an owner's tokens that the sender is allowed to move."""
    checks.wide_amount("amount", amount)
    return Call(token, abi.encode_call(TRANSFER_FROM, owner, to, amount))


def balance_of(token: Address, account: Address) -> Query[Wei]:
    """Asks for an account's tokens."""
    return Query(token, abi.encode_call(BALANCE_OF, account), _amount)


def allowance(token: Address, owner: Address, spender: Address) -> Query[Wei]:
    """Asks how much `spender` may move."""
    return Query(token, abi.encode_call(ALLOWANCE, owner, spender), _amount)


def total_supply(token: Address) -> Query[Wei]:
    """Asks how many tokens there are."""
    return Query(token, abi.encode_call(TOTAL_SUPPLY), _amount)


def decimals(token: Address) -> Query[int]:
    """Asks how many digits stand behind the point when amounts are shown."""
    return Query(
        token, abi.encode_call(DECIMALS), lambda data: int(abi.decode(("uint8",), data)[0])
    )


def symbol(token: Address) -> Query[str]:
    """Asks for the token's short name."""
    return Query(token, abi.encode_call(SYMBOL), _text)


def name(token: Address) -> Query[str]:
    """Asks for the token's name."""
    return Query(token, abi.encode_call(NAME), _text)


def _amount(data: bytes) -> Wei:
    return Wei(abi.decode(("uint256",), data)[0])


def _text(data: bytes) -> str:
    """A string; some tokens older than the standard return 32 bytes instead."""
    if len(data) == 32:
        return data.rstrip(b"\0").decode(errors="replace")
    return str(abi.decode(("string",), data)[0])


class ERC20(Front):
    """A token. Amounts in its smallest unit; sending and errors as in `Front`.

    Source: EIP-20; refusals of newer tokens EIP-6093. What a token returns from a transaction
    cannot be seen, so a refusal that is not a revert shows only in balances.
    """

    table = events.ERC20

    @property
    def asset(self) -> Asset:
        """The token as channels name it."""
        return Asset(self.address)

    def transfer(
        self,
        to: AddressLike,
        amount: Wei,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Moves the sender's tokens."""
        return self._send(transfer(self.address, address(to), amount), sender, gas, fees)

    def approve(
        self,
        spender: AddressLike,
        amount: Wei,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Allows `spender`, MSContract for one, to move up to `amount` of the sender's tokens."""
        return self._send(approve(self.address, address(spender), amount), sender, gas, fees)

    def transfer_from(
        self,
        owner: AddressLike,
        to: AddressLike,
        amount: Wei,
        *,
        sender: AddressLike,
        gas: int | None = None,
        fees: Fees | None = None,
    ) -> Receipt:
        """Moves an owner's tokens that the sender is allowed to move."""
        call = transfer_from(self.address, address(owner), address(to), amount)
        return self._send(call, sender, gas, fees)

    def balance_of(self, account: AddressLike) -> Wei:
        """An account's tokens."""
        return self._ask(balance_of(self.address, address(account)))

    def allowance(self, owner: AddressLike, spender: AddressLike) -> Wei:
        """How much `spender` may move of the owner's tokens."""
        return self._ask(allowance(self.address, address(owner), address(spender)))

    def total_supply(self) -> Wei:
        """How many tokens there are."""
        return self._ask(total_supply(self.address))

    def decimals(self) -> int:
        """How many digits stand behind the point when amounts are shown."""
        return self._ask(decimals(self.address))

    def symbol(self) -> str:
        """The token's short name."""
        return self._ask(symbol(self.address))

    def name(self) -> str:
        """The token's name."""
        return self._ask(name(self.address))
