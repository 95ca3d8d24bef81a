"""A chain with the contracts on it and the cast around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import eth_abi
from eth_account import Account
from web3 import Web3

from perun.crypto import SecretKey
from perun.testing.owners import Owner, session_key
from perun.types import ETH
from populus.chain import AnvilChain, TesterChain
from populus.chain.tester import HD_PATH, MNEMONIC
from tests.support import plain
from tests.support.clock import clock_of
from tests.support.contracts import Deployed, Event, Interface, Log, Receipt
from tests.support.wires import Mined, TesterWire, wire_of

FOREVER = 2**40 - 1
"""Greatest `validUntil`."""

MOST = 2**111 - 1
"""Greatest amount."""

HOUR = 3600

ETHER = 10**18

GAS = 5_000_000
"""Limit of a transaction that does not name one; given, so that nothing is estimated."""

_CAST = ("treasury", "alice", "bob", "ingrid", "mallory", "carol")


class Stage:
    """The four contracts of a deployment, a plain token, and six parties with keys and money.

    `treasury` deploys and gives; `carol` stands for anybody.
    """

    def __init__(self, chain: TesterChain | AnvilChain) -> None:
        self.chain = chain
        self.web3: Web3 = chain.web3
        self.clock = clock_of(chain)
        self.wire = wire_of(chain)
        self.chain_id = self.web3.eth.chain_id
        self._interfaces: dict[str, Interface] = {}
        self._known: dict[bytes, Interface] = {}
        self._fees: Counter[bytes] = Counter()
        self._queue: list[tuple[bytes, bytes]] | None = None
        self.cast = tuple(self._party(index, name) for index, name in enumerate(_CAST))
        self.treasury, self.alice, self.bob, self.ingrid, self.mallory, self.carol = self.cast
        for party in self.cast:
            self._let_send(party.key)

        self.ms = self.deploy("MSContract")
        self.vpm = self.deploy("VPM")
        self.locks = self.deploy("HashTimeLock")
        self.signatures = self.deploy("LibSignatures")
        self.token = self.deploy_token("PlainToken", *self.cast[1:])
        self.ms_separator = plain.domain_separator(
            "Perun MSContract", self.chain_id, self.ms.address
        )
        self.vpm_separator = plain.domain_separator("Perun VPM", self.chain_id, self.vpm.address)
        self.locks_separator = plain.domain_separator(
            "Perun HashTimeLock", self.chain_id, self.locks.address
        )

    # ------------------------------------------------------------------ parties

    def _party(self, index: int, name: str) -> Owner:
        Account.enable_unaudited_hdwallet_features()
        account = Account.from_mnemonic(MNEMONIC, account_path=f"{HD_PATH}/{index}")
        own = SecretKey(bytes(account.key))
        return Owner(name, own.address, session_key(name), own)

    def _let_send(self, key: SecretKey) -> None:
        """Session keys may send transactions too; the node signs for them."""
        self.wire.let_send(key)
        self.transact(self.treasury, key.address, b"", 10 * ETHER, 21_000)

    def party_at(self, account: bytes, like: Owner) -> Owner:
        """`like` with another account: a contract, say."""
        return Owner(f"{like.name}'s {account.hex()[:6]}", account, like.key)

    # ------------------------------------------------------------------ contracts

    def interface(self, name: str) -> Interface:
        """The compiled contract of that name."""
        if name not in self._interfaces:
            self._interfaces[name] = Interface(name, self.compiled(name)["abi"])
        return self._interfaces[name]

    def deploy(self, name: str, *args: Any, value: int = 0) -> Deployed:
        """A new contract, by the treasury."""
        interface = self.interface(name)
        code = bytes.fromhex(self.compiled(name)["bytecode"].removeprefix("0x"))
        inputs = next((e["inputs"] for e in interface.abi if e["type"] == "constructor"), [])
        code += eth_abi.encode([item["type"] for item in inputs], list(args))
        mined = self._mine(self.treasury, b"", code, value, 16_000_000)
        assert mined.contract is not None
        return self.at_address(name, mined.contract)

    def at_address(self, name: str, address: bytes) -> Deployed:
        """The contract that is there already."""
        self._known[address] = self.interface(name)
        return Deployed(self, self.interface(name), address)

    def deploy_token(self, name: str, *holders: Owner) -> Deployed:
        """A token of `tests/contracts/Tokens.sol`; treasury and holders own 10**27, approved."""
        token = self.deploy(name)
        for party in (self.treasury, *holders):
            token.send(party, "mint", party.account, 10**27)
            token.send(party, "approve", self.ms.address, 2**256 - 1)
        return token

    def compiled(self, name: str) -> Mapping[str, Any]:
        """Everything the compiler said about a contract."""
        return self.chain.project.compiled_contract_data[name]

    # ------------------------------------------------------------------ time

    @property
    def now(self) -> int:
        """Timestamp of the newest block; the next one is a second later unless `at` says more."""
        return self.clock.now()

    def at(self, timestamp: int) -> None:
        """The next transaction is mined at this second."""
        self.clock.at(timestamp)

    def wait_until(self, timestamp: int) -> None:
        """Mine an empty block at this second, so that calls see it."""
        self.clock.at(timestamp)
        self.clock.mine()

    @contextmanager
    def one_block(self, timestamp: int) -> Iterator[None]:
        """What is sent in this context is mined in one block at this second, and must succeed.

        The receipts of the transactions are empty; only eth-tester can do it.
        """
        assert isinstance(self.wire, TesterWire)
        self.at(timestamp)
        self._queue = queue = []
        try:
            yield
        finally:
            self._queue = None
            self.clock.mine()
        for sender, sent in queue:
            self._fees[sender] += self.wire.mined(sent).fee
        assert self.now == timestamp

    # ------------------------------------------------------------------ money

    def balance(self, asset: bytes, who: Any) -> int:
        """What an account has, in the asset's smallest unit, its fees so far not counted."""
        account = address_of(who)
        if asset != ETH:
            return int(self.at_address("PlainToken", asset).ask("balanceOf", account))
        return self.wire.balance(account) + self._fees[account]

    def credit(self, asset: bytes, who: Any) -> int:
        """An account's credit in MSContract."""
        return int(self.ms.ask("credit", asset, address_of(who)))

    def gains(self, asset: bytes, *who: Any) -> Callable[[], tuple[int, ...]]:
        """Start watching balances; calling the result says how much each has risen, fees apart."""
        before = [self.balance(asset, one) for one in who]
        return lambda: tuple(
            self.balance(asset, one) - had for one, had in zip(who, before, strict=True)
        )

    # ------------------------------------------------------------------ transactions

    def transact(self, by: Any, to: bytes, data: bytes, value: int, gas: int | None) -> Receipt:
        """Send and wait; see `Deployed.send`."""
        if self._queue is not None:
            self._prepare(address_of(by), to, data, value, gas or GAS)
            return Receipt(0, 0, ())
        mined = self._mine(by, to, data, value, gas or GAS)
        events = (self._read(log) for log in mined.logs)
        found = tuple(event for event in events if event)
        return Receipt(mined.gas_used, self.now, found, mined.logs)

    def call(self, by: Any, to: bytes, data: bytes, gas: int | None) -> bytes:
        """Ask without changing anything; see `Deployed.ask`."""
        return self.wire.call(address_of(by or self.treasury), to, data, gas or 16_000_000)

    def _mine(self, by: Any, to: bytes, data: bytes, value: int, gas: int) -> Mined:
        sender = address_of(by)
        mined = self.wire.send(sender, to, data, value, gas)
        self._fees[sender] += mined.fee  # a failed transaction costs its fee all the same
        if mined.error is not None:
            raise mined.error
        return mined

    def _prepare(self, sender: bytes, to: bytes, data: bytes, value: int, gas: int) -> None:
        assert isinstance(self.wire, TesterWire)
        assert self._queue is not None
        nonce = self.wire.nonce(sender) + sum(other == sender for other, _ in self._queue)
        sent = self.wire.prepare(sender, to, data, value, gas, nonce)
        self._queue.append((sender, sent))

    def _read(self, log: Log) -> Event | None:
        interface = self._known.get(log.address)
        return interface.read(log) if interface else None


def address_of(who: Any) -> bytes:
    """20 bytes: a party's account, a key's, a contract's, or the address itself."""
    if isinstance(who, Owner):
        return who.account
    return who if isinstance(who, bytes) else bytes(who.address)
