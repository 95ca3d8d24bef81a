"""The chain around the contracts: a clock, balances, and strangers that answer as they like.

`Host` is all that the contracts of this package see of the world. Tokens, payees and
nanocontracts are strangers: a test may put a misbehaving one in place of the plain ones here.
A call is atomic and nobody can call back while it runs; in Solidity a reentrancy guard
makes it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

from perun.spec.reverts import TokenRefused, WrongValue
from perun.types import ETH, Address


class Event(NamedTuple):
    """An entry of the log: name and arguments as in the Solidity interface."""

    name: str
    args: tuple[object, ...]
    by: Address | None = None
    """Which nanocontract says so; None: `MSContract`."""


class App(Protocol):
    """What somebody deployed and calls a nanocontract."""

    def answer(self, nano_id: bytes) -> bytes | None:
        """Return data of a static call `outcome(nano_id)`; None if the call fails."""

    def submit(self, evidence: bytes) -> bool:
        """Take evidence; False if the call fails."""


class NoApp:
    """A contract that is no nanocontract: every call of one fails."""

    def answer(self, nano_id: bytes) -> None:  # noqa: ARG002 - as App has it
        return None

    def submit(self, evidence: bytes) -> bool:  # noqa: ARG002 - as App has it
        return False


@dataclass(slots=True)
class Token:
    """A plain ERC-20: balances change only by the transfers it reports."""

    balances: dict[Address, int] = field(default_factory=dict)
    plain: ClassVar[bool] = True
    """Whether a payee gets exactly what was paid."""
    forged: ClassVar[bool] = False
    """Whether its balances change by other than what it reports: nothing is promised then."""

    def balance(self, account: Address) -> int:
        return self.balances.get(account, 0)

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        """Move `amount` out of `sender`; False (or a revert) if the token will not."""
        if self.balance(sender) < amount:
            return False
        self.balances[sender] = self.balance(sender) - amount
        self.balances[to] = self.balance(to) + amount
        return True


@dataclass(slots=True)
class Host:
    """Time, money, strangers, and the log of everything the contracts announced."""

    now: int = 0
    """Unix time of the current block, in seconds."""
    eth: dict[Address, int] = field(default_factory=dict)
    tokens: dict[Address, Token] = field(default_factory=dict)
    refusing: set[Address] = field(default_factory=set)
    """Accounts to which ETH cannot be delivered within the allowance."""
    apps: dict[Address, App] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)

    def emit(self, name: str, *args: object, by: Address | None = None) -> None:
        self.log.append(Event(name, args, by))

    def balance(self, asset: Address, account: Address) -> int:
        if asset == ETH:
            return self.eth.get(account, 0)
        return self.tokens[asset].balance(account)

    def pull(self, asset: Address, payer: Address, to: Address, amount: int, value: int) -> int:
        """Take `amount` from the caller of a function and say how much of it arrived.

        `value` is the ETH that came with the call: exactly the amount, or 0 for a token.
        """
        due = amount if asset == ETH else 0
        if value != due:
            raise WrongValue(due, value)
        before = self.balance(asset, to)
        if asset == ETH:
            self._move_eth(payer, to, amount)
        elif not self.tokens[asset].transfer(payer, to, amount):
            raise TokenRefused(asset)
        return self.balance(asset, to) - before

    def pay(self, asset: Address, payer: Address, to: Address, amount: int) -> bool:
        """Send money to an account; False, and nothing has moved, if it cannot be delivered."""
        if asset != ETH:
            return self.tokens[asset].transfer(payer, to, amount)
        if to in self.refusing:
            return False
        self._move_eth(payer, to, amount)
        return True

    def ask(self, app: Address, nano_id: bytes) -> bytes | None:
        """What `app` answers to `outcome(nano_id)`; None if it has no code or fails."""
        known = self.apps.get(app)
        return known.answer(nano_id) if known else None

    def tell(self, app: Address, evidence: bytes) -> bool:
        """Pass evidence to `app.submit`; False if it has no code or fails."""
        known = self.apps.get(app)
        return known.submit(evidence) if known else False

    def _move_eth(self, payer: Address, to: Address, amount: int) -> None:
        self.eth[payer] = self.eth.get(payer, 0) - amount
        self.eth[to] = self.eth.get(to, 0) + amount
