"""Who plays: people, contract wallets, tokens and nanocontracts, honest and strange.

Every contract stands twice: deployed on the chain, and as its counterpart in the model's host.
The settings of a stranger (broken, blocked, what to answer) are changed by `Stage.set`, on both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from perun.crypto import SecretKey, keccak
from perun.spec import Host, NoApp, Token
from perun.types import ETH, Address, Asset
from tests.games.stateful.codec import Codec, artifacts
from tests.games.stateful.evm import CHAIN_ID, GENESIS, RICH, Chain

HONEST = tuple(SecretKey(keccak(name.encode())) for name in ("alice", "bob", "ingrid"))
"""They keep the rules in the channels where they are said to; nobody else sends for them."""

SESSIONS = tuple(SecretKey(keccak(b"session " + key.secret)) for key in HONEST)
"""Keys that sign for the honest where the account does not."""

CROOKS = tuple(
    SecretKey(keccak(name.encode()))
    for name in ("carol", "mallory", "trudy", "oscar", "craig", "peggy")
)
PEOPLE = (*HONEST, *SESSIONS, *CROOKS)
KEYS = {key.address: key for key in PEOPLE}

OPERATOR = PEOPLE[-1].address
"""Sends the transactions of contract wallets and turns the strangers' switches."""

GREATEST = APPROVED = 2**256 - 1
SUPPLY = 2**115


# --------------------------------------------------------------- tokens, as the model sees them


@dataclass(slots=True)
class FalseToken(Token):
    broken: bool = False

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        return not self.broken and Token.transfer(self, sender, to, amount)


@dataclass(slots=True)
class FeeToken(Token):
    plain: ClassVar[bool] = False  # a payee gets less than was paid

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        if self.balance(sender) < amount:
            return False
        fee = amount // 10
        Token.transfer(self, sender, Address(b"\0" * 18 + b"\x0f\xee"), fee)
        return Token.transfer(self, sender, to, amount - fee)


@dataclass(slots=True)
class LyingToken(Token):
    broken: bool = False
    plain: ClassVar[bool] = False

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        return True if self.broken else Token.transfer(self, sender, to, amount)


@dataclass(slots=True)
class InflatingToken(Token):
    inflating: bool = False
    frozen: bool = False
    plain: ClassVar[bool] = False
    forged: ClassVar[bool] = True

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        if self.frozen:
            return False
        if self.inflating:
            self.balances[to] = GREATEST
            return True
        if to != sender and self.balance(to) + amount > GREATEST:
            return False  # its own sums are checked
        return Token.transfer(self, sender, to, amount)


@dataclass(slots=True)
class BlockingToken(Token):
    blocked: set[Address] = field(default_factory=set)

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        if sender in self.blocked or to in self.blocked:
            return False
        return Token.transfer(self, sender, to, amount)


@dataclass(slots=True)
class FailingToken(Token):
    """Fails while `failing`: by burning all gas, or with a data bomb."""

    failing: bool = False

    def transfer(self, sender: Address, to: Address, amount: int) -> bool:
        return not self.failing and Token.transfer(self, sender, to, amount)


TOKENS: dict[str, Callable[[], Token]] = {
    "PlainToken": Token,
    "NoReturnToken": Token,
    "FalseToken": FalseToken,
    "FeeToken": FeeToken,
    "LyingToken": LyingToken,
    "InflatingToken": InflatingToken,
    "BlockingToken": BlockingToken,
    "GasBurningToken": FailingToken,
    "BombToken": FailingToken,
    "ReenteringToken": Token,
}

WALLETS = {
    "Wallet": True,
    "YesWallet": True,
    "RefusingPayee": False,
    "GasBurningPayee": False,
    "BombPayee": False,
    "ThriftyPayee": True,
    "ReenteringPayee": True,
}
"""Contract wallets, and whether they take ETH at first."""


# ------------------------------------------------------- nanocontracts, as the model sees them


@dataclass(slots=True)
class LiarApp:
    answers: dict[bytes, tuple[bool, int]] = field(default_factory=dict)
    takes: bool = True

    def answer(self, nano_id: bytes) -> bytes | None:
        done, shift = self.answers.get(nano_id, (False, 0))
        return words(int(done), shift)

    def submit(self, evidence: bytes) -> bool:
        return self.takes


@dataclass(slots=True)
class RawApp:
    """Answers the same bytes to everything; None: fails."""

    data: bytes | None = b""
    takes: bool | None = None

    def answer(self, nano_id: bytes) -> bytes | None:
        return self.data

    def submit(self, evidence: bytes) -> bool:
        return self.data is not None if self.takes is None else self.takes


@dataclass(slots=True)
class ClockApp:
    """id = time << 128 | uint112(shift): done once `time` is over."""

    host: Host

    def answer(self, nano_id: bytes) -> bytes | None:
        low = int.from_bytes(nano_id[18:], "big")
        shift = low - 2**112 if low >> 111 else low
        return words(int(self.host.now > int.from_bytes(nano_id[:16], "big")), shift)

    def submit(self, evidence: bytes) -> bool:
        return True


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big", signed=value < 0) for value in values)


APPS: dict[str, Callable[[Host], object]] = {
    "LiarNanocontract": lambda _: LiarApp(),
    "RawNanocontract": lambda _: RawApp(),
    "HugeNanocontract": lambda _: RawApp(words(1, 7) + bytes(32768 - 64)),
    "GasBurningNanocontract": lambda _: RawApp(None),
    "ThriftyNanocontract": lambda _: LiarApp(),
    "WritingNanocontract": lambda _: RawApp(None, takes=True),
    "ReenteringNanocontract": lambda _: LiarApp(),
    "ClockNanocontract": ClockApp,
}

THRIFTY_NEED = 80_000


# ------------------------------------------------------------------------------------------- stage


class Stage:
    """Everything deployed on one chain, by name, and the model's host beside it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.codecs: dict[str, Codec] = {}
        self.addresses: dict[str, Address] = {}
        for name in ("MSContract", "VPM", "HashTimeLock", *TOKENS, *WALLETS, *APPS):
            self._deploy(name)
        self.people = tuple(key.address for key in PEOPLE)
        self.crooks = tuple(key.address for key in CROOKS)
        self.wallets = tuple(self.addresses[name] for name in WALLETS)
        self.assets = (ETH, *(Asset(self.addresses[name]) for name in TOKENS))

    def _deploy(self, name: str) -> None:
        data = artifacts()[name]
        code = bytes.fromhex(data["bytecode"].removeprefix("0x"))
        if name == "ThriftyNanocontract":
            code += THRIFTY_NEED.to_bytes(32, "big")
        self.addresses[name] = Address(self.chain.deploy(code))
        self.codecs[name] = Codec(data["abi"])

    def send(self, sender: Address, name: str, function: str, *args: object) -> None:
        """A transaction that must succeed, to a stranger."""
        data = self.codecs[name].call(function, args)
        result = self.transact(sender, self.addresses[name], data, 0, 3_000_000)
        assert result.success, (name, function, args, result)

    def transact(self, sender: Address, to: Address, data: bytes, value: int, gas: int):
        """A transaction of a person, or of a contract wallet through its `execute`."""
        if sender in self.people:
            return self.chain.call(sender, to, data, value, gas)
        wrapped = self.codecs["Wallet"].call("execute", (to, value, data))
        return self.chain.call(OPERATOR, sender, wrapped, value, gas + 100_000)

    def furnish(self, host: Host) -> None:
        """Give everybody tokens and allowances; put the counterparts into the model."""
        ms_contract = self.addresses["MSContract"]
        holders = (*self.people, *self.wallets)
        for name, make in TOKENS.items():
            token = make()
            for holder in holders:
                self.send(OPERATOR, name, "mint", holder, SUPPLY)
                data = self.codecs[name].call("approve", (ms_contract, APPROVED))
                assert self.transact(holder, self.addresses[name], data, 0, 1_000_000).success
                token.balances[holder] = SUPPLY
            host.tokens[self.addresses[name]] = token
            host.apps[self.addresses[name]] = NoApp()
        for person in self.people:
            host.eth[person] = RICH
        for name, takes in WALLETS.items():
            if not takes:
                host.refusing.add(self.addresses[name])
        for name, build in APPS.items():
            host.apps[self.addresses[name]] = build(host)  # type: ignore[assignment]
        host.now = GENESIS
        assert CHAIN_ID
